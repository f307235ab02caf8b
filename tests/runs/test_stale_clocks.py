"""Who waited for a row read the clock before that: what a tick dispatched meanwhile is not planned again."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs import making, pausing
from badgerjobs.runs.models import Run, Runnable, SkipReason
from badgerjobs.runs.planning import Occurrence, Plan, Skip
from tests.factories import NOW
from tests.runs.switching import BOTH_WAYS, HOUR, MINUTE, add, change, dispatched, ledger

pytestmark = pytest.mark.django_db
BEFORE = NOW - timedelta(seconds=2)


def dispatched_at_noon(then: Any = NOW + HOUR, **fields: Any) -> Runnable:
    """Hourly; a tick took the occurrence of NOW."""
    runnable = add(run_every="PT1H", run_at=NOW, **fields)
    dispatched(runnable, NOW, then)
    return runnable


@pytest.mark.parametrize(
    "fields", [{"max_runs": 5}, {"end_at": NOW + 9 * HOUR}, {"spread_s": 600}, {"cron": "0 * * * *", "run_every": ""}]
)
def test_a_change_that_waited_does_not_plan_again_what_was_dispatched(fields: dict[str, Any]) -> None:
    runnable = change(dispatched_at_noon(), BEFORE, **fields)
    assert runnable.next_run_at
    assert runnable.next_run_at - timedelta(milliseconds=runnable.offset_ms) > NOW
    assert not Run.objects.filter(state="skipped").exists()


def test_a_change_that_waited_does_not_begin_again_with_the_run_that_ended_it() -> None:
    runnable = dispatched_at_noon(None, max_runs=1)
    assert change(runnable, BEFORE, max_runs=2).next_run_at == NOW + HOUR


def test_a_change_that_waited_for_a_tick_that_skipped_does_not_plan_what_was_skipped() -> None:
    runnable = add(run_every="PT1H", run_at=NOW, end_at=NOW + HOUR / 2)
    making.queue_planned([Plan(runnable.pk, None)], NOW)
    making.skip([(runnable.pk, Skip(SkipReason.OVERLAP, NOW, NOW))], now=NOW)
    assert change(runnable, BEFORE, end_at=NOW + 9 * HOUR).next_run_at == NOW + HOUR


@BOTH_WAYS
def test_a_pause_that_waited_for_the_last_run_does_not_account_for_it_once_more(off: Any, on: Any) -> None:
    runnable = dispatched_at_noon(None, max_runs=1)
    off(runnable, BEFORE)
    Runnable.objects.update(max_runs=9)
    on(runnable, NOW + 1.5 * HOUR)
    assert ledger(runnable) == [(NOW + HOUR, NOW + HOUR, 1)]


@BOTH_WAYS
def test_resuming_that_waited_for_a_pause_does_not_plan_what_came_before_that(off: Any, on: Any) -> None:
    runnable = dispatched_at_noon()
    off(runnable, NOW + MINUTE)
    on(runnable, BEFORE)
    runnable.refresh_from_db()
    assert (ledger(runnable), runnable.next_run_at) == ([], NOW + HOUR)


def test_two_changes_while_it_is_off_do_not_account_twice_however_late_one_is() -> None:
    runnable = dispatched_at_noon()
    change(runnable, NOW + MINUTE, enabled=False)
    change(runnable, NOW + 2.5 * HOUR, max_runs=8)
    change(runnable, NOW + 1.5 * HOUR, max_runs=7)
    change(runnable, NOW + 3.5 * HOUR, enabled=True)
    assert ledger(runnable) == [(NOW + HOUR, NOW + 3 * HOUR, 3)]


def test_a_tick_that_lets_go_with_an_old_clock_plans_nothing_again() -> None:
    runnable = dispatched_at_noon()
    change(runnable, NOW + MINUTE, enabled=False)
    Runnable.objects.update(paused_until=BEFORE)
    pausing.let_go(now=BEFORE)
    runnable.refresh_from_db()
    assert (runnable.enabled, runnable.next_run_at) == (True, NOW + HOUR)


def test_an_occurrence_that_has_a_run_is_not_counted_again_and_numbers_have_no_gap() -> None:
    runnable = dispatched_at_noon()
    occurrences = [Occurrence(at, at) for at in (NOW, NOW + HOUR, NOW + 2 * HOUR)]
    assert making.queue_planned([Plan(runnable.pk, NOW + 3 * HOUR, occurrences)], NOW + 2 * HOUR) == ["io", "io"]
    runnable.refresh_from_db()
    assert (runnable.runs_made, runnable.scheduled_runs, runnable.next_run_at) == (3, 3, NOW + 3 * HOUR)
    assert list(Run.objects.order_by("occurrence").values_list("number", flat=True)) == [1, 2, 3]

    making.queue_planned([Plan(runnable.pk, NOW + 3 * HOUR, occurrences)], NOW + 2.5 * HOUR)
    runnable.refresh_from_db()
    assert (runnable.runs_made, runnable.scheduled_runs) == (3, 3)
    assert runnable.last_run_at == NOW + 2 * HOUR
