"""A schedule that is changed while an occurrence waits or is due: it is run, or it is in the ledger."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs import dispatch, making, services
from badgerjobs.runs.backfill import runs_to_make
from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import Run, Runnable, SkipReason
from badgerjobs.runs.planning import Skip
from tests.factories import NOW, make_application
from tests.runs.switching import BOTH_WAYS, HOUR, MINUTE, add, change, dispatched

pytestmark = pytest.mark.django_db


def test_what_was_due_and_not_dispatched_when_its_schedule_was_changed_is_in_the_ledger() -> None:
    runnable = add(run_every="PT1H", run_at=NOW)

    change(runnable, NOW + 2 * HOUR + MINUTE, run_every="PT3H")

    row = Run.objects.get(state="skipped")
    assert (row.skip_reason, row.occurrence, row.skipped_until) == ("missed", NOW, NOW + 2 * HOUR)
    assert row.skipped_count == 3


def waiting_in_its_spread(**fields: Any) -> Runnable:
    """Hourly, at its place of 30 minutes in the spread; NOW + HOUR is next, and NOW was run."""
    runnable = add(run_every="PT1H", run_at=NOW, **fields)
    dispatched(runnable, NOW, NOW + 1.5 * HOUR)
    Runnable.objects.update(spread_s=3600, offset_ms=1_800_000)
    return runnable


@pytest.mark.parametrize(
    "fields", [{"end_at": NOW + 9 * HOUR}, {"max_runs": 5}, {"spread_s": 0}, {"spread_s": 3000}], ids="+".join
)
def test_an_edit_does_not_lose_the_occurrence_that_waits_in_its_spread(fields: dict[str, Any]) -> None:
    runnable = waiting_in_its_spread()

    change(runnable, NOW + HOUR + MINUTE, **fields)

    assert runnable.next_run_at
    assert runnable.next_run_at - timedelta(milliseconds=runnable.offset_ms) == NOW + HOUR
    assert not Run.objects.filter(state="skipped").exists()


@pytest.mark.parametrize(
    "fields",
    [{"end_at": NOW + HOUR / 2}, {"max_runs": 1}, {"run_every": "PT7H"}, {"cron": "7 * * * *", "run_every": ""}],
    ids="+".join,
)
def test_an_occurrence_that_waits_in_its_spread_and_is_planned_no_more_is_in_the_ledger(fields: dict[str, Any]) -> None:
    runnable = waiting_in_its_spread()

    change(runnable, NOW + HOUR + MINUTE, **fields)

    row = Run.objects.get(state="skipped")
    assert (row.skip_reason, row.occurrence, row.skipped_count) == ("missed", NOW + HOUR, 1)
    assert runnable.next_run_at is None or runnable.next_run_at > NOW + HOUR + MINUTE


@pytest.mark.parametrize(
    "fields",
    [{"max_runs": 100}, {"end_at": NOW + 9 * HOUR}, {"spread_s": 600}, {"end_at": NOW + HOUR / 2}],
    ids="+".join,
)
@pytest.mark.parametrize("late", [timedelta(milliseconds=5), 20 * MINUTE])
def test_an_edit_before_the_tick_does_not_drop_what_is_due(late: timedelta, fields: dict[str, Any]) -> None:
    runnable = change(add(run_every="PT1H", run_at=NOW), NOW + late, **fields)
    assert runnable.next_run_at == NOW + timedelta(milliseconds=runnable.offset_ms)
    assert not Run.objects.exists()


def test_an_edit_in_an_outage_leaves_to_catch_up_what_was_missed() -> None:
    runnable = add(run_every="PT1H", run_at=NOW, catch_up="all", overlap="queue_all")
    runnable = change(runnable, NOW + 5 * HOUR + MINUTE, max_runs=100)
    assert (runnable.next_run_at, Run.objects.count()) == (NOW, 0)


def test_a_new_end_drops_what_came_after_it_and_keeps_what_came_before() -> None:
    runnable = change(add(run_every="PT1H", run_at=NOW), NOW + 5.5 * HOUR, end_at=NOW + 2.5 * HOUR)
    row = Run.objects.get()
    assert (row.skip_reason, row.occurrence, row.skipped_until, row.skipped_count) == (
        "missed", NOW + 3 * HOUR, NOW + 5 * HOUR, 3
    )  # fmt: skip
    assert runnable.next_run_at == NOW
    # What is missed of the earlier ones has a row of its own: rows do not grow backwards.
    making.skip([(runnable.pk, Skip(SkipReason.MISSED, NOW, NOW + HOUR, 2))], now=NOW + 6 * HOUR)
    rows = Run.objects.order_by("occurrence").values_list("occurrence", "skipped_until", "skipped_count")
    assert list(rows) == [(NOW, NOW + HOUR, 2), (NOW + 3 * HOUR, NOW + 5 * HOUR, 3)]


def skipped() -> list[tuple[str, Any, Any, int | None]]:
    rows = Run.objects.filter(state="skipped").order_by("id")
    return list(rows.values_list("skip_reason", "occurrence", "skipped_until", "skipped_count"))


def test_disabled_with_a_new_rhythm_the_new_one_counts_from_then_on() -> None:
    runnable = add(run_every="P1M", run_at=NOW + 480 * HOUR)
    change(runnable, NOW, enabled=False, run_every="PT1H", run_at=None)
    change(runnable, NOW + 10.5 * HOUR, enabled=True)
    assert skipped() == [("paused", NOW + HOUR, NOW + 10 * HOUR, 10)]


def test_disabled_with_a_new_rhythm_what_was_due_by_the_old_one_is_accounted_for_by_that() -> None:
    runnable = add(run_every="PT1H", run_at=NOW)
    change(runnable, NOW + 2 * HOUR + MINUTE / 2, enabled=False, run_every="", run_at=None, cron="* * * * *")
    change(runnable, NOW + 2 * HOUR + 2.5 * MINUTE, enabled=True)
    assert skipped() == [
        ("missed", NOW, NOW + 2 * HOUR, 3),
        ("paused", NOW + 2 * HOUR + MINUTE, NOW + 2 * HOUR + 2 * MINUTE, 2),
    ]


def test_disabled_with_another_end_what_was_due_is_accounted_for_once() -> None:
    runnable = add(run_every="PT1H", run_at=NOW)
    change(runnable, NOW + 2.5 * HOUR, enabled=False, end_at=NOW + HOUR / 2)
    change(runnable, NOW + 4.5 * HOUR, enabled=True)
    assert skipped() == [("missed", NOW, NOW + 2 * HOUR, 3)]


@pytest.mark.parametrize("fields", [{"run_at": None, "run_every": "P1D"}, {"run_at": NOW + HOUR}], ids="+".join)
@pytest.mark.parametrize("run_at", [NOW, NOW - HOUR])
def test_what_was_to_run_once_and_was_due_is_in_the_ledger_when_it_becomes_something_else(
    run_at: Any, fields: dict[str, Any]
) -> None:
    change(add(run_at=run_at), NOW + MINUTE, **fields)
    assert skipped() == [("missed", run_at, run_at, 1)]


def test_what_came_once_while_it_was_off_is_in_the_ledger_when_it_becomes_something_else() -> None:
    runnable = add(run_at=NOW + HOUR)
    change(runnable, NOW, enabled=False)
    change(runnable, NOW + 2 * HOUR, spread_s=60)
    assert skipped() == []
    change(runnable, NOW + 3 * HOUR, run_at=None, run_every="P1D")
    assert skipped() == [("paused", NOW + HOUR, NOW + HOUR, 1)]


def test_what_is_to_run_once_is_still_to_come_when_it_is_disabled_with_another_spread() -> None:
    runnable = add(run_at=NOW)
    change(runnable, NOW + MINUTE, enabled=False, spread_s=60)
    runnable = change(runnable, NOW + HOUR, enabled=True, spread_s=0)
    assert (skipped(), runnable.next_run_at, runnable.next_occurrence) == ([], NOW + HOUR, NOW)


@BOTH_WAYS
def test_what_is_late_when_it_is_planned_stands_for_its_own_moment(off: Any, on: Any) -> None:
    runnable = add(run_at=NOW - HOUR)
    assert (runnable.next_run_at, runnable.next_occurrence) == (NOW, NOW - HOUR)
    off(runnable, NOW + MINUTE)
    on(runnable, NOW + HOUR)
    runnable.refresh_from_db()
    assert (runnable.next_run_at, runnable.next_occurrence) == (NOW + HOUR, NOW - HOUR)


@BOTH_WAYS
def test_what_has_a_run_of_its_moment_already_stands_for_now(off: Any, on: Any) -> None:
    runnable = add(run_at=NOW)
    dispatched(runnable, NOW, NOW)
    Run.objects.update(state="aborted")
    Runnable.objects.update(next_run_at=None)
    off(runnable, NOW + MINUTE)
    on(runnable, NOW + HOUR)
    runnable.refresh_from_db()
    assert (runnable.next_run_at, runnable.next_occurrence) == (NOW + HOUR, None)
    runnable = change(change(runnable, NOW + HOUR, run_at=NOW + 9 * HOUR), NOW + 2 * HOUR, run_at=NOW)
    assert (runnable.next_run_at, runnable.next_occurrence) == (NOW + 2 * HOUR, None)


@pytest.mark.parametrize("fields", [{"run_at": -HOUR}, {"run_at": -MINUTE / 2, "run_every": "P1D"}], ids="+".join)
def test_what_was_past_when_it_was_planned_runs_at_once_for_its_own_moment_and_is_not_backfilled(
    fields: dict[str, Any],
) -> None:
    now = database_now()
    run_at = now + fields["run_at"]
    runnable = Runnable(application=make_application(), kind="http", name="r", **{**fields, "run_at": run_at})
    services.add_runnable(runnable, now=now)
    assert runnable.next_run_at == now

    dispatch.tick()

    run = Run.objects.get()
    assert (run.occurrence, run.due_at) == (run_at, now)
    runnable.refresh_from_db()
    assert runnable.next_occurrence is None
    later = now + HOUR
    assert runs_to_make(runnable, since=now - 2 * HOUR, until=later, now=later) == []
