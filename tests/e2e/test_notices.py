"""That nothing happens at all is seen by whoever is left, and told as soon as there is a worker."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.books import plant
from tests.e2e.receiver import Receiver
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

TELL = """
from badgerjobs.notices.models import NoticeSettings
from badgerjobs.workspaces.models import Application
NoticeSettings.objects.create(application=Application.objects.get(name="e2e"), url="{url}")
"""


@pytest.fixture
def told(stack: Stack, receiver: Receiver) -> Iterator[Receiver]:
    """An application whose work is late after a second, and the receiver that is told of it at `/notices`."""
    stack.manage("shell", "-c", TELL.format(url=f"{receiver.url}/notices"))
    stack.sql("UPDATE workspaces_application SET late_after_s = 1")
    stack.sql("TRUNCATE runs_incident, notices_quiet")
    yield receiver
    stack.sql("UPDATE workspaces_application SET late_after_s = 300")
    stack.sql("TRUNCATE notices_noticesettings, runs_incident, notices_quiet")


def types(receiver: Receiver) -> list[str]:
    """What the receiver was told."""
    return [json.loads(call.body)["type"] for call in receiver.calls if call.path == "/notices"]


def open_ones(stack: Stack) -> int:
    [(count,)] = stack.sql("SELECT count(*) FROM runs_incident WHERE trouble = 'late' AND closed_at IS NULL")
    return int(count)


def test_with_all_beats_gone_a_worker_sees_that_nothing_is_dispatched_and_tells(stack: Stack, told: Receiver) -> None:
    plant(stack, 1)
    stack.sql("UPDATE runs_runnable SET next_run_at = now() - interval '1 minute'")
    stack.start("worker-1")
    stack.until(lambda: types(told) == ["work.late"], "it is told that work is late")

    stack.start("beat-1")
    stack.sql("DELETE FROM runs_leader WHERE role = 'watch'")  # half a minute need not be waited for
    stack.until(lambda: "work.recovered" in types(told), "it is told that nothing is late")


def test_with_all_workers_gone_a_beat_sees_it_and_it_is_told_when_one_is_back(stack: Stack, told: Receiver) -> None:
    plant(stack, 1)
    stack.start("beat-1")
    stack.sql("UPDATE runs_runnable SET next_run_at = now()")
    stack.until(lambda: open_ones(stack) == 1, "it is seen that nobody takes it")
    assert types(told) == []

    stack.start("worker-1")
    stack.until(lambda: types(told)[:1] == ["work.late"], "it is told that work was late")
