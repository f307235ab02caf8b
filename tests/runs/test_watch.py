"""Work that is late is seen, by whichever process looks, and seen to be over."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from badgerjobs.runs import watch
from badgerjobs.runs.models import Cause, Incident, Leader, Run, Runnable, State, Trouble
from badgerjobs.workspaces.models import Application
from tests.factories import NOW, make_application, make_run, make_runnable
from tests.plans import look_at
from tests.runs.together import together

pytestmark = pytest.mark.django_db

LATE = NOW - timedelta(seconds=301)  # applications say 300 s unless they have chosen
IN_TIME = NOW - timedelta(seconds=299)


def late() -> list[tuple[int, str]]:
    """The applications that have late work, and what is said of it."""
    found = Incident.objects.filter(closed_at=None, trouble=Trouble.LATE, runnable=None).order_by("application")
    return list(found.values_list("application", "sentence"))


@pytest.mark.parametrize(
    ("state", "fields", "is_late"),
    [
        (State.QUEUED, {"due_at": LATE}, True),
        (State.QUEUED, {"due_at": LATE, "queue": "compute"}, True),
        (State.QUEUED, {"due_at": LATE, "priority": 100}, True),
        (State.QUEUED, {"due_at": IN_TIME}, False),
        (State.QUEUED, {"due_at": LATE, "held": True}, True),
        (State.QUEUED, {"due_at": IN_TIME, "held": True}, False),
        (State.QUEUED, {"due_at": LATE, "held": True, "cause": "backfill"}, False),
        (State.QUEUED, {"due_at": LATE, "held": True, "cause": "replay"}, False),
        (State.SCHEDULED, {"due_at": LATE}, True),
        (State.RETRYING, {"due_at": LATE}, True),
        (State.RETRYING, {"due_at": IN_TIME}, False),
        (State.RUNNING, {"due_at": LATE}, False),
        (State.SUCCEEDED, {"due_at": LATE}, False),
    ],
)
def test_a_run_is_late_when_nobody_takes_it(
    runnable: Runnable, state: State, fields: dict[str, Any], is_late: bool
) -> None:
    make_run(runnable, state, **fields)
    watch.look(NOW)
    assert bool(late()) is is_late


@pytest.mark.parametrize(
    ("state", "fields", "is_late"),
    [
        pytest.param(State.SCHEDULED, {}, True, id="waits for its host"),
        pytest.param(State.QUEUED, {"held": True}, True, id="waits for its host, then for the run before it"),
        pytest.param(State.SCHEDULED, {"created_at": IN_TIME}, False, id="put off in time"),
        pytest.param(State.SCHEDULED, {"cause": "replay"}, False, id="a replay with a rate"),
        pytest.param(State.SCHEDULED, {"cause": "backfill"}, False, id="a backfill with a rate"),
        pytest.param(State.RETRYING, {"attempts": 1}, False, id="tried, and waits for its next attempt"),
        pytest.param(State.QUEUED, {"held": True, "attempts": 1}, False, id="tried, and waits for the run before it"),
    ],
)
def test_a_run_that_is_put_off_is_late_by_when_it_was_due_first(
    runnable: Runnable, state: State, fields: dict[str, Any], is_late: bool
) -> None:
    fields = {"cause": Cause.SCHEDULE, "created_at": LATE, **fields}
    make_run(runnable, state, due_at=NOW + timedelta(minutes=14), **fields)
    watch.look(NOW)
    assert bool(late()) is is_late


def test_what_was_put_off_and_what_is_held_is_counted(runnable: Runnable) -> None:
    for number in range(3):
        make_run(runnable, State.SCHEDULED, created_at=LATE, due_at=NOW + timedelta(minutes=number))
    for one in (runnable, make_runnable(runnable.application, name="other")):
        make_run(one, created_at=LATE, due_at=LATE - timedelta(minutes=1), held=True)
    watch.look(NOW)
    assert late() == [(runnable.application_id, "5 runs are late. The oldest was due at 2026-03-02 11:53:59 UTC.")]


@pytest.mark.parametrize(
    ("next_run_at", "after_s", "is_late"),
    [(LATE, 300, True), (IN_TIME, 300, False), (IN_TIME, 60, True), (LATE, 3600, False), (LATE, None, False)],
)
def test_an_occurrence_is_late_when_nobody_dispatches_it(
    runnable: Runnable, next_run_at: Any, after_s: int | None, is_late: bool
) -> None:
    Runnable.objects.update(next_run_at=next_run_at)
    Application.objects.update(late_after_s=after_s)
    watch.look(NOW)
    assert bool(late()) is is_late


def test_the_sentence_says_how_many_and_since_when(runnable: Runnable) -> None:
    for minutes in (6, 7, 8, 1):
        make_run(runnable, due_at=NOW - timedelta(minutes=minutes))
    make_runnable(runnable.application, name="other", next_run_at=NOW - timedelta(minutes=9))
    watch.look(NOW)
    [(application_id, said)] = late()
    assert application_id == runnable.application_id
    assert said.startswith("3 runs are late. 1 job is late: its time came, and no run was made. ")
    assert said.endswith(" The oldest was due at 2026-03-02 11:51:00 UTC.")


@pytest.mark.parametrize(
    ("runs", "jobs", "said"),
    [
        (0, 0, "1 run is late. It"),
        (1, 0, "1 run is late. It"),
        (1000, 0, "1,000 runs are late. The oldest"),
        (1001, 0, "More than 1,000 runs are late. The oldest"),
        (0, 1, "1 job is late: its time came, and no run was made. It"),
        (0, 6, "6 jobs are late: their time came, and no run was made. The oldest"),
        (0, 1001, "More than 1,000 jobs are late: their time came, and no run was made. The oldest"),
        (1, 2, "1 run is late. 2 jobs are late: their time came, and no run was made. The oldest"),
    ],
)
def test_runs_and_jobs_that_have_none_yet_are_counted_apart_and_to_an_end(runs: int, jobs: int, said: str) -> None:
    assert watch.sentence(runs, jobs, NOW) == f"{said} was due at 2026-03-02 12:00:00 UTC."


def test_jobs_that_nobody_dispatches_are_counted_as_jobs(runnable: Runnable) -> None:
    Runnable.objects.update(next_run_at=LATE)
    make_runnable(runnable.application, name="other", next_run_at=LATE)
    watch.look(NOW)
    assert late()[0][1].startswith("2 jobs are late: their time came, and no run was made.")


def test_it_is_opened_once_and_closed_when_nothing_is_late(runnable: Runnable) -> None:
    make_run(runnable, due_at=LATE)
    assert watch.look(NOW) == 1
    assert watch.look(NOW + timedelta(seconds=30)) == 0
    Run.objects.update(due_at=NOW)
    assert watch.look(NOW + timedelta(seconds=60)) == 1
    incident = Incident.objects.get()
    assert (incident.opened_at, incident.closed_at) == (NOW, NOW + timedelta(seconds=60))
    assert incident.closing_told_at is None


def test_each_application_is_looked_at_by_its_own_measure(runnable: Runnable) -> None:
    charlies = make_runnable(make_application("Charlie's"))
    Application.objects.filter(pk=charlies.application_id).update(late_after_s=3600)
    for one in (runnable, charlies):
        for priority in (10, 50):
            make_run(one, due_at=LATE, priority=priority)
    watch.look(NOW)
    assert [application for application, _ in late()] == [runnable.application_id]


def test_nobody_else_looks_for_half_a_minute() -> None:
    first, second = uuid4(), uuid4()
    assert watch.turn(first)
    assert watch.turn(first) is None
    assert watch.turn(second) is None
    Leader.objects.update(expires_at=NOW)
    assert watch.turn(second)
    assert Leader.objects.get(role="watch").holder == second


def test_whoever_looks_has_people_told(runnable: Runnable, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(watch, "tick_of", lambda name: lambda: told.append(name))
    assert watch.watch_once(uuid4())
    assert not watch.watch_once(uuid4())
    assert told == ["tell"]


def test_a_look_that_fails_ends_nothing(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def away(_: Any) -> None:
        raise OSError("away")

    monkeypatch.setattr(watch, "turn", away)
    monkeypatch.setattr(connection, "close", lambda: None)  # the test's own stays open
    assert not watch.watch_once(uuid4())
    assert "tried again" in caplog.text


def test_what_is_late_stands_in_the_log_of_who_saw_it(runnable: Runnable, caplog: pytest.LogCaptureFixture) -> None:
    make_run(runnable, due_at=LATE)
    watch.look(NOW)
    assert "the oldest was due at 2026-03-02 11:54:59 UTC" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_of_several_that_ask_at_once_one_looks() -> None:
    turns = together(*[lambda: watch.turn(uuid4())] * 4)
    assert sum(turn is not None for turn in turns) == 1


def test_a_look_reads_no_table_through(runnable: Runnable) -> None:
    Runnable.objects.bulk_create(
        Runnable(application=runnable.application, kind="http", name=f"job-{n}", anchor=NOW, next_run_at=NOW)
        for n in range(2000)
    )
    for n in range(2000):
        state = State.QUEUED if n < 20 else State.SUCCEEDED
        make_run(runnable, state, due_at=NOW, priority=n % 2)
    for model in (Run, Runnable):
        look_at(model)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT TEXT) {watch._LATE}", {"now": NOW})
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan on runs_run" not in plan
    assert "Seq Scan on runs_runnable" not in plan
    assert "run_queued" in plan
    assert "run_held" in plan
