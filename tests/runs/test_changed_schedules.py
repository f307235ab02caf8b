"""A schedule that is changed while an occurrence waits: it is run, or it is in the ledger."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs.models import Run, Runnable
from tests.factories import NOW
from tests.runs.switching import HOUR, MINUTE, add, change, dispatched

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
