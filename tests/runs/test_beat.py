"""Beat: it sleeps until the next is due, is woken for a sooner one, and outlives whatever goes wrong."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from badgerjobs.celery import app
from badgerjobs.runs import beat, dispatch, fleet
from badgerjobs.runs.models import Leader, Run, Runnable
from tests.factories import make_application, make_runnable
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


class Beat(beat.Scheduler):
    """A beat that notes how long it would sleep, and what it would send for the system."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        super().__init__(app=app)
        self._finalize.cancel()  # at exit, when the database is gone
        self._pulse.turn = lambda: None  # type: ignore[method-assign]  # test_beat_pulse.py has it

    def _sleep(self, until: float) -> None:
        self.slept.append(until)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues that were rung."""
    queues: list[str] = []
    monkeypatch.setattr(beat, "ring", queues.append)
    return queues


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The beats that sent the system's ticks."""
    beats: list[object] = []

    def tick(self: DatabaseScheduler) -> float:
        beats.append(self)
        return 5.0

    monkeypatch.setattr(DatabaseScheduler, "tick", tick)
    return beats


@pytest.fixture
def beats(sent: list[object], rung: list[str]) -> Iterator[list[Beat]]:
    """Two of them."""
    made = [Beat(), Beat()]
    yield made
    for one in made:
        one._listener.close()
        one._bell.shutdown()


def due(**fields: Any) -> Runnable:
    given = {"next_run_at": fleet.database_now() - timedelta(seconds=1), **fields}
    return make_runnable(make_application(), **given)


def test_a_tick_queues_what_is_due_and_rings(beats: list[Beat], rung: list[str]) -> None:
    due()

    assert beats[0].tick() == 0.0

    assert Run.objects.get().state == "queued"
    until(lambda: rung == ["io"])
    beats[0].tick()
    assert rung == ["io"]


def test_no_schedule_waits_for_a_broker_that_does_not_answer(
    beats: list[Beat], monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, answers = threading.Event(), []
    monkeypatch.setattr(beat, "ring", lambda _: answers.append(answered.wait(5)))
    try:
        for count in (1, 2):
            due()
            beats[0].tick()
            assert Run.objects.count() == count
        assert answers == []
    finally:
        answered.set()


@pytest.mark.parametrize(
    ("wait", "least", "most"),
    [
        pytest.param(None, 1, 1, id="nothing planned"),
        pytest.param(timedelta(hours=1), 3590, 3600, id="far ahead"),
        pytest.param(timedelta(milliseconds=700), 0.2, 0.7, id="soon"),
    ],
)
def test_it_sleeps_until_the_next_is_due(wait: timedelta | None, least: float, most: float, beats: list[Beat]) -> None:
    if wait:
        due(next_run_at=fleet.database_now() + wait)

    beats[0].tick()

    assert least <= beats[0].slept[0] <= most


@pytest.mark.parametrize(("until", "waited"), [(3600, [0.99]), (0.5, [0.49]), (0.005, []), (-3, [])])
def test_a_sleep_is_at_least_10_ms_and_at_most_1_s(
    until: float, waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: list[float] = []
    listened: list[float] = []
    scheduler = Beat()
    monkeypatch.setattr("time.sleep", paused.append)
    monkeypatch.setattr(scheduler._listener, "wait", listened.append)

    beat.Scheduler._sleep(scheduler, until)

    assert paused == [0.01]
    assert listened == pytest.approx(waited)


def test_while_more_is_due_it_does_not_sleep_but_keeps_the_system_going(
    beats: list[Beat], sent: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = fleet.database_now()
    monkeypatch.setattr(dispatch, "tick", lambda _: dispatch.Tick(now, more=True))

    beats[0].tick()

    assert beats[0].slept == []
    assert sent == [beats[0]]


@pytest.mark.parametrize("error", [OperationalError("gone"), psycopg.OperationalError("gone"), ValueError("a bug")])
def test_nothing_that_goes_wrong_ends_it(
    error: Exception, beats: list[Beat], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    due()

    def fail(_: int) -> dispatch.Tick:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(dispatch, "tick", fail)
        assert beats[0].tick() == 1.0
    assert "tick failed" in caplog.text

    assert beats[0].tick() == 0.0
    assert Run.objects.count() == 1


def test_a_connection_that_the_server_ends_is_made_anew(beats: list[Beat], caplog: pytest.LogCaptureFixture) -> None:
    due()
    with connection.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    results = [beats[0].tick(), beats[0].tick()]

    assert results[-1] == 0.0
    assert Run.objects.count() == 1


def test_only_one_of_two_sends_the_systems_ticks(beats: list[Beat], sent: list[object]) -> None:
    first, second = beats

    for _ in range(2):
        second.tick()
        first.tick()

    assert sent == [second]
    assert (first.leading, second.leading) == (False, True)
    assert set(PeriodicTask.objects.values_list("name", flat=True)) == set(settings.CELERY_BEAT_SCHEDULE)


def test_both_dispatch_whoever_leads(beats: list[Beat]) -> None:
    for one in beats:
        due()
        one.tick()

    assert Run.objects.count() == 2


def test_one_that_stalls_loses_the_lead_by_itself(beats: list[Beat], sent: list[object]) -> None:
    first, second = beats
    first.tick()
    second.tick()
    Leader.objects.update(expires_at=fleet.database_now() - timedelta(seconds=1))

    for one in (second, first):  # the first comes back when the second has taken over
        one._lead_ends = one._system_due = 0.0
        one.tick()

    assert sent == [first, second]
    assert (first.leading, second.leading) == (False, True)


def test_a_beat_that_is_told_to_end_gives_up_the_lead_and_never_anothers(beats: list[Beat], sent: list[object]) -> None:
    first, second = beats
    first.tick()
    second.tick()

    second.close()
    assert Leader.objects.get().holder == first.me
    first.close()
    second._lead_ends = 0.0
    second.tick()

    assert sent == [first, second]


def test_the_lead_is_kept_by_renewing_it(db: None) -> None:
    one, other = Beat(), Beat()

    assert beat.lead(one.me) == (True, beat.LEAD_RENEWED_S)
    first = Leader.objects.get().expires_at
    assert beat.lead(other.me) == (False, beat.LEAD_RENEWED_S)
    assert beat.lead(one.me) == (True, beat.LEAD_RENEWED_S)

    assert Leader.objects.get().expires_at > first
    assert Leader.objects.get().holder == one.me


def test_the_systems_ticks_are_those_of_the_settings_and_are_sent(
    rung: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks: list[str] = []
    monkeypatch.setattr(beat, "send", lambda task, **_: tasks.append(task))
    one = Beat()
    one.tick()
    PeriodicTask.objects.update(last_run_at=fleet.database_now() - timedelta(hours=1))

    one._initial_read, one._heap, one._system_due = True, None, 0.0
    one.tick()
    one._bell.shutdown()

    assert sorted(tasks) == sorted(str(entry["task"]) for entry in settings.CELERY_BEAT_SCHEDULE.values())
