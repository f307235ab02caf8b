"""Off and on again: why, and one row in the ledger for all that came in between."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs import making, many
from badgerjobs.runs.models import Cause, Run, Runnable
from tests.factories import NOW, make_application, make_runnable
from tests.runs.switching import (
    BOTH_WAYS,
    HOUR,
    MINUTE,
    add,
    change,
    dispatched,
    ledger,
    off_by_many,
    off_by_one,
    on_by_many,
    on_by_one,
)

pytestmark = pytest.mark.django_db


@BOTH_WAYS
@pytest.mark.parametrize(
    ("fields", "paused", "resumed", "expected"),
    [
        pytest.param({"run_every": "PT1H"}, 0.5, 3.5, (1, 3, 3), id="what came in between"),
        pytest.param({"run_every": "PT1H"}, 0.5, 0.75, None, id="nothing came"),
        pytest.param({"run_every": "PT1H"}, 0.5, 1, (1, 1, 1), id="the moment of resuming belongs to the pause"),
        pytest.param({"run_every": "PT1H"}, 1, 2.5, (1, 2, 2), id="due already when it was paused"),
        pytest.param({"cron": "0 * * * *"}, 0.5, 3.5, (1, 3, 3), id="cron"),
        pytest.param({"run_every": "PT1H", "end_at": NOW + 2 * HOUR}, 0.5, 9, (1, 2, 2), id="up to its end"),
        pytest.param({"run_every": "PT1H", "max_runs": 1}, 0.5, 9, None, id="it has made all its runs"),
        pytest.param({"run_every": "PT1H", "max_runs": 2}, 0.5, 3.5, (1, 3, 3), id="it may make one more"),
        pytest.param({}, 0.5, 9, None, id="by hand"),
        pytest.param({"run_at": NOW + HOUR}, 0.5, 9, None, id="once is made up for"),
        pytest.param({"run_every": "PT1S"}, 0.5, 0.5 + 24 * 366, (None, None, 366 * 86_400), id="a year of seconds"),
    ],
)
def test_what_came_while_it_was_off_is_one_row(  # noqa: PLR0917  a table's columns
    off: Any, on: Any, fields: dict[str, Any], paused: float, resumed: float, expected: Any
) -> None:
    runnable = add(**fields)
    if runnable.schedule.is_recurring:
        left = fields.get("max_runs") != 1
        dispatched(runnable, NOW, NOW + HOUR)
        if not left:
            Runnable.objects.update(next_run_at=None)
        if "1S" in runnable.run_every:
            Runnable.objects.update(next_run_at=NOW + HOUR / 2 + timedelta(seconds=1))
    off(runnable, NOW + paused * HOUR)
    assert ledger(runnable) == []
    on(runnable, NOW + resumed * HOUR)
    [*rows] = ledger(runnable)
    if expected is None:
        assert rows == []
    elif expected[0] is None:
        assert [count for *_, count in rows] == [expected[2]]
    else:
        first, last, count = expected
        assert rows == [(NOW + first * HOUR, NOW + last * HOUR, count)]
    runnable.refresh_from_db()
    assert (runnable.enabled, runnable.paused_at, runnable.unaccounted_since) == (True, None, None)


@BOTH_WAYS
def test_in_a_spread_each_occurrence_is_accounted_for_once(off: Any, on: Any) -> None:
    runnable = add(run_every="PT1H")
    Runnable.objects.update(spread_s=600, offset_ms=300_000, next_run_at=NOW + HOUR + 5 * MINUTE)
    off(runnable, NOW + HOUR + MINUTE)  # its time has come, its place in the spread has not
    on(runnable, NOW + 2.5 * HOUR)
    assert ledger(runnable) == [(NOW + HOUR, NOW + 2 * HOUR, 2)]


@BOTH_WAYS
def test_paused_twice_with_no_run_between_shares_the_row(off: Any, on: Any) -> None:
    runnable = add(run_every="PT1H")
    dispatched(runnable, NOW, NOW + HOUR)
    for hour in (1, 3):
        off(runnable, NOW + (hour - 0.5) * HOUR)
        on(runnable, NOW + (hour + 1.5) * HOUR)
    assert ledger(runnable) == [(NOW + HOUR, NOW + 4 * HOUR, 4)]


def test_what_is_made_switched_off_is_accounted_for_from_then_on() -> None:
    runnable = add(cron="0 * * * *", enabled=False)
    assert (runnable.paused_at, runnable.next_run_at) == (NOW, None)
    on_by_one(runnable, NOW + 2.5 * HOUR)
    assert ledger(runnable) == [(NOW + HOUR, NOW + 2 * HOUR, 2)]


def test_what_was_off_before_anybody_counted_has_no_row() -> None:
    runnable = make_runnable(make_application(), enabled=False, run_every="PT1H")
    on_by_many(runnable, NOW + 9 * HOUR)
    runnable.refresh_from_db()
    assert (ledger(runnable), runnable.next_run_at) == ([], NOW + 10 * HOUR)


def test_a_schedule_that_is_changed_while_it_is_off_counts_until_then_and_the_new_one_after() -> None:
    runnable = add(cron="0 * * * *")
    dispatched(runnable, NOW, NOW + HOUR)
    off_by_one(runnable, NOW + 0.5 * HOUR)
    change(runnable, NOW + 2.25 * HOUR, cron="30 * * * *")
    assert ledger(runnable) == [(NOW + HOUR, NOW + 2 * HOUR, 2)]
    assert (runnable.paused_at, runnable.unaccounted_since) == (NOW + 0.5 * HOUR, NOW + 2.25 * HOUR)

    on_by_one(runnable, NOW + 4 * HOUR)  # 14:30 and 15:30 by the new one; not 12:30, 13:30
    assert ledger(runnable) == [(NOW + HOUR, NOW + 3.5 * HOUR, 4)]


def test_switched_on_with_another_schedule_the_old_one_counts_until_then() -> None:
    runnable = add(cron="0 * * * *")
    dispatched(runnable, NOW, NOW + HOUR)
    off_by_many(runnable, NOW + 0.5 * HOUR)
    change(runnable, NOW + 2.25 * HOUR, cron="30 * * * *", enabled=True)
    assert ledger(runnable) == [(NOW + HOUR, NOW + 2 * HOUR, 2)]
    assert runnable.next_run_at == NOW + 2.5 * HOUR


def test_a_pause_says_why_since_when_and_until_when_and_resumed_all_of_it_is_gone() -> None:
    runnable = add(run_every="PT1H")
    many.pause_all([runnable.pk], now=NOW, reason="We move house.", until=NOW + HOUR)
    runnable.refresh_from_db()
    assert (runnable.paused_at, runnable.paused_until, runnable.pause_reason) == (NOW, NOW + HOUR, "We move house.")
    on_by_many(runnable, NOW + HOUR / 2)
    runnable.refresh_from_db()
    assert (runnable.paused_at, runnable.paused_until, runnable.pause_reason) == (None, None, "")


def test_what_is_off_already_keeps_its_reason() -> None:
    runnable = add(run_every="PT1H")
    many.pause_all([runnable.pk], now=NOW, reason="first")
    assert many.pause_all([runnable.pk], now=NOW + HOUR, reason="second") == []
    runnable.refresh_from_db()
    assert (runnable.pause_reason, runnable.paused_at) == ("first", NOW)


def test_nothing_is_planned_for_what_has_made_all_its_runs_meanwhile() -> None:
    runnable = add(run_every="PT1H", max_runs=1)
    off_by_many(runnable, NOW)
    Runnable.objects.update(scheduled_runs=1)
    on_by_many(runnable, NOW + HOUR)
    runnable.refresh_from_db()
    assert (runnable.enabled, runnable.next_run_at) == (True, None)


@BOTH_WAYS
@pytest.mark.parametrize("cause", [Cause.MANUAL, Cause.REPLAY, Cause.PROBE])
def test_a_run_by_hand_while_it_is_paused_is_not_the_one_that_was_planned(off: Any, on: Any, cause: Cause) -> None:
    runnable = add(run_at=NOW + HOUR)
    off(runnable, NOW)
    making.queue_now(runnable, cause=cause, now=NOW + 2 * HOUR)
    Run.objects.update(state="succeeded")
    on(runnable, NOW + 3 * HOUR)
    runnable.refresh_from_db()
    assert runnable.next_run_at == NOW + 3 * HOUR


@BOTH_WAYS
@pytest.mark.parametrize("how", ["pruned", "backfilled", "aborted, and run at last"])
def test_what_was_to_run_once_and_did_is_over_however_that_came(off: Any, on: Any, how: str) -> None:
    runnable = add(run_at=NOW)
    if how == "backfilled":
        making.backfill(runnable.pk, [NOW], now=NOW)
        Run.objects.update(state="succeeded")
    else:
        dispatched(runnable, NOW, NOW + HOUR)
    if how == "pruned":
        Run.objects.all().delete()
    elif how != "backfilled":
        Run.objects.update(state="aborted")
        dispatched(runnable, NOW + MINUTE, NOW + HOUR)
        Run.objects.filter(occurrence=NOW).update(state="aborted")
    off(runnable, NOW + HOUR)
    on(runnable, NOW + 2 * HOUR)
    runnable.refresh_from_db()
    assert runnable.next_run_at is None


@BOTH_WAYS
def test_what_a_tick_took_while_the_pause_waited_for_its_row_is_not_accounted_for_twice(off: Any, on: Any) -> None:
    runnable = add(run_every="PT1H", run_at=NOW)
    dispatched(runnable, NOW, NOW + HOUR)
    off(runnable, NOW - timedelta(seconds=2))
    on(runnable, NOW + 1.5 * HOUR)
    assert ledger(runnable) == [(NOW + HOUR, NOW + HOUR, 1)]
