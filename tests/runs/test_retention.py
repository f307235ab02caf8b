"""What is deleted with age, and what is not."""

from datetime import datetime, timedelta
from inspect import signature
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from badgerjobs.lib.ids import uuid7, uuid7_floor
from badgerjobs.runs import fleet, remains, retention
from badgerjobs.runs.models import FINAL, Attempt, LogLine, Run, Runnable, State
from badgerjobs.workspaces.models import Application
from tests.factories import NOW, make_application, make_run, make_runnable
from tests.plans import look_at
from tests.runs.staging import queue
from tests.runs.together import together

pytestmark = pytest.mark.django_db

KEPT = timedelta(days=30)
DAY = timedelta(days=1)


def id_of(moment: datetime) -> UUID:
    """An id as it was made at that moment."""
    return UUID(int=uuid7_floor(moment).int | (uuid7().int & ((1 << 62) - 1)))


def make_old(runnable: Runnable, age: timedelta = KEPT + DAY, state: State = State.SUCCEEDED, **fields: Any) -> Run:
    """A run of that age, with an attempt and a log line; it ended when it began, unless told otherwise."""
    made = NOW - age
    ended = {"finished_at": made} if state in FINAL else {}
    run = make_run(runnable, state, **({"id": id_of(made), "created_at": made} | ended | fields))
    row = {"run": run, "application_id": run.application_id, "created_at": made}
    Attempt.objects.create(**row, number=1, run_number=1, started_at=made, duration_ms=1, ok=True)
    LogLine.objects.create(**row, level="info", message="Said.")
    return run


@pytest.mark.parametrize("state", State)
def test_only_what_is_old_and_over_is_deleted_with_its_results_and_log(state: State, runnable: Runnable) -> None:
    make_old(runnable, state=state)
    kept = make_old(runnable, KEPT - DAY)

    assert retention.prune(now=NOW) == int(state in FINAL)

    left = 1 + int(state not in FINAL)
    assert [Run.objects.count(), Attempt.objects.count(), LogLine.objects.count()] == [left, left, left]
    assert Run.objects.contains(kept)


def test_age_counts_from_the_end_of_a_run(runnable: Runnable) -> None:
    make_old(runnable, 2 * KEPT, finished_at=NOW - DAY)

    assert retention.prune(now=NOW) == 0


@pytest.mark.parametrize(("age", "deleted"), [(KEPT - timedelta(seconds=1), 0), (KEPT + timedelta(seconds=1), 1)])
def test_retention_is_kept_to_the_second(age: timedelta, deleted: int, runnable: Runnable) -> None:
    make_old(runnable, age)

    assert retention.prune(now=NOW) == deleted


def test_how_long_is_a_setting(runnable: Runnable, settings: Any) -> None:
    make_old(runnable, 2 * DAY)
    settings.RETENTION_DAYS = 1

    assert retention.prune(now=NOW) == 1


def test_batches_are_bounded_and_go_on_until_nothing_old_is_left(
    runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 10)
    for n in range(35):
        make_old(runnable, KEPT + (n + 1) * DAY)
    kept = [make_old(runnable, KEPT + 40 * DAY, state=State.RUNNING), make_old(runnable, KEPT - DAY)]
    batches = watched(monkeypatch)

    assert retention.prune(now=NOW) == 35

    assert [count for _, count in batches] == [10, 10, 10, 5]
    # Each begins where the one before ended: the dead entries it left at the head of the index are not walked again.
    begins = [after for after, _ in batches]
    assert begins == sorted(set(begins))
    assert set(Run.objects.all()) == set(kept)


def watched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[UUID, int]]:
    """After which id each batch began, and how many runs it deleted, as it happens."""
    batches: list[tuple[UUID, int]] = []
    batch = retention._prune_batch

    def prune_batch(applications: list[retention.Kept], now: datetime) -> tuple[int, list[retention.Kept]]:
        done = batch(applications, now)
        batches.append((applications[0].after, done[0]))
        return done

    monkeypatch.setattr(retention, "_prune_batch", prune_batch)
    return batches


def test_it_ends_when_its_time_is_over_and_goes_on_the_next_time(
    runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    for _ in range(3):
        make_old(runnable)

    assert retention.prune(now=NOW, seconds=0) == 0
    assert retention.prune(now=NOW) == 3


def test_half_of_the_time_is_there_for_pruning_and_no_more(settings: Any) -> None:
    """More than half and the ticks would pile up; less, and tests/e2e/test_prune.py counts on too much."""
    tick = settings.CELERY_BEAT_SCHEDULE["prune"]
    assert retention.HELPING_S * 2 == tick["schedule"] == tick["options"]["expires"]
    assert signature(retention.prune).parameters["seconds"].default == retention.HELPING_S


@pytest.mark.parametrize("seconds", [0.001, 4])
def test_what_the_deleted_left_has_half_of_the_time_and_the_old_the_rest(
    seconds: float, runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much there is of the one, the other is pruned too."""
    given: list[datetime] = []

    def prune(*, until: datetime, **_: Any) -> int:
        given.append(until)
        return 0

    monkeypatch.setattr(remains, "prune_gone", prune)
    monkeypatch.setattr(retention, "_prune_old", prune)
    began = fleet.database_now()

    retention.prune(seconds=seconds)

    first, second = given
    assert began + timedelta(seconds=seconds / 2) <= first
    assert second - first == timedelta(seconds=seconds / 2)


def test_a_batch_finds_the_old_by_application_and_id(runnable: Runnable) -> None:
    # Rows enough for the planner to care, and what it knows of these: not what another test left it to believe.
    queue(runnable, 3000, state=State.SUCCEEDED, finished_at=NOW)
    queue(make_runnable(make_application("Charlie's")), 3000, state=State.SUCCEEDED, finished_at=NOW)
    given: dict[str, Any] = {
        "applications": [runnable.application_id],
        "afters": [UUID(int=0)],
        "befores": [uuid7()],
        "cutoffs": [NOW],
        "each": 10,
        "apart": ["background"],
    }
    look_at(Run)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {retention._PRUNE}", given)
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute(f"EXPLAIN {retention._WALK}", given)
        walk = "\n".join(line for (line,) in cursor.fetchall())

    assert walk.count("run_of_application") == 2
    assert "Sort" not in walk
    assert "run_of_application" in plan.partition("CTE tries")[0]
    assert "Index Cond: ((ROW(application_id, id) > ROW(kept.application_id, kept.after)) AND (ROW(" in plan
    assert "Sort" not in plan.partition("CTE tries")[0]


def test_runs_that_are_kept_apart_are_walked_through_once(runnable: Runnable, monkeypatch: pytest.MonkeyPatch) -> None:
    apart = [make_old(runnable, KEPT + days * DAY, kind="background") for days in (9, 8, 6)]
    waits = make_old(runnable, KEPT + 7 * DAY, state=State.SCHEDULED)
    batches = watched(monkeypatch)

    assert retention.prune(now=NOW) == 0
    Run.objects.filter(pk=waits.pk).update(state=State.SUCCEEDED, finished_at=NOW - KEPT - DAY)
    assert retention.prune(now=NOW) == 1
    assert retention.prune(now=NOW) == 0

    # Up to one that is not kept apart, and might be over the next time.
    assert [after for after, _ in batches] == [apart[1].pk, apart[1].pk, apart[2].pk]
    assert set(Run.objects.all()) == set(apart)


@pytest.mark.parametrize("own", [1, 60], ids=["shorter", "longer"])
def test_an_application_keeps_its_runs_as_long_as_it_says_and_others_as_they_do(own: int, runnable: Runnable) -> None:
    other = make_runnable(make_application("Charlie's"))
    Application.objects.filter(pk=runnable.application_id).update(retention_days=own)
    for days in (own - 0.1, own + 0.1):
        make_old(runnable, days * DAY)
    theirs = [make_old(other, days * DAY) for days in (0.9, 1.1, 29.9, 30.1, 59.9)]

    retention.prune(now=NOW)

    left = Run.objects.filter(runnable=runnable).values_list("created_at", flat=True)
    assert list(left) == [NOW - (own - 0.1) * DAY]
    assert list(Run.objects.filter(runnable=other).order_by("-id")) == theirs[:3]


def test_one_with_much_to_delete_keeps_no_other_waiting(runnable: Runnable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 6)
    monkeypatch.setattr(retention, "TOGETHER", 3)
    others = [make_runnable(make_application(name)) for name in ("Bob's", "Charlie's", "Dora's")]
    for n in range(20):
        make_old(runnable, KEPT + (n + 1) * DAY)
    for other in others:
        make_old(other)
    left, batch = [], retention._prune_batch

    def prune_batch(applications: list[retention.Kept], now: datetime) -> tuple[int, list[retention.Kept]]:
        done = batch(applications, now)
        left.append(Run.objects.filter(runnable__in=others).count())
        return done

    monkeypatch.setattr(retention, "_prune_batch", prune_batch)

    assert retention.prune(now=NOW) == 23

    # Two batches look into all four, and those that have little are done.
    assert left[1] == 0
    assert len(left) > 2


@pytest.mark.django_db(transaction=True)
def test_two_at_once_delete_each_run_once_and_wait_for_nobody(runnable: Runnable) -> None:
    for _ in range(30):
        make_old(runnable)
    with transaction.atomic():
        held = Run.objects.select_for_update().earliest("id")
        counts = together(lambda: retention.prune(now=NOW), lambda: retention.prune(now=NOW))

    assert sum(counts) == 29
    assert list(Run.objects.all()) == [held]
    assert Attempt.objects.count() == LogLine.objects.count() == 1
