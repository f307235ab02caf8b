"""A beat says that it is alive while it takes its turns, and leaves when it ends."""

import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from badgerjobs.celery import app
from badgerjobs.runs import beat, fleet, rescue
from badgerjobs.runs.beat_pulse import BeatPulse
from badgerjobs.runs.models import Beat, Leader
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "PULSE_S", 0.05)


@pytest.fixture
def pulse() -> Iterator[BeatPulse]:
    """One that has not said anything."""
    made = BeatPulse(uuid4())
    yield made
    made.end()
    if made._thread:
        made._thread.join()


class Turns(threading.Event):
    """Tells how it was waited for: for so many seconds each time, None without an end."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_for: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waited_for.append(timeout)
        return super().wait(timeout)


def test_a_beat_is_seen_from_its_first_turn_on_and_not_when_it_hangs(pulse: BeatPulse) -> None:
    pulse._turned = turns = Turns()
    pulse.turn()
    until(lambda: len(turns.waited_for) == 2)  # it has spoken, and would speak again after the next turn alone
    assert turns.waited_for == [None, None]
    first = Beat.objects.get()
    assert first.name == f"{os.uname().nodename}:{os.getpid()}"

    pulse.turn()
    until(lambda: Beat.objects.get().seen_at > first.seen_at)
    assert Beat.objects.get().started_at == first.started_at


def test_a_turn_waits_for_no_pulse(pulse: BeatPulse) -> None:
    pulse.turn()
    until(Beat.objects.exists)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE query LIKE '%runs_beat%' AND pid <> pg_backend_pid()")
        [(stopped,)] = cursor.fetchall()
    os.kill(stopped, signal.SIGSTOP)
    try:
        pulse.turn()
        until(pulse._writing.locked)
        for _ in range(10):
            pulse.turn()
        assert pulse._writing.locked()
    finally:
        os.kill(stopped, signal.SIGCONT)


def test_a_beat_that_ends_takes_its_row_and_its_lead_with_it(pulse: BeatPulse) -> None:
    ending, other = beat.Scheduler(app=app), beat.Scheduler(app=app)
    for one in (ending, other):
        one._finalize.cancel()
        fleet.pulse_beat(one.me)
    assert beat.lead(ending.me)[0]

    ending.close()

    assert list(Beat.objects.values_list("pk", flat=True)) == [other.me]
    assert not Leader.objects.exists()
    assert beat.lead(other.me)[0]


def test_beats_that_were_not_seen_for_long_are_forgotten(pulse: BeatPulse) -> None:
    for _ in range(2):
        fleet.pulse_beat(uuid4())
    gone = Beat.objects.first()
    assert gone
    Beat.objects.filter(pk=gone.pk).update(seen_at=fleet.database_now() - fleet.FORGET - timedelta(seconds=1))
    assert fleet.beats_seen(timedelta(seconds=30)) == 1

    rescue.rescue()

    assert not Beat.objects.filter(pk=gone.pk).exists()
    assert Beat.objects.count() == 1
