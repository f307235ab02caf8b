"""Past occurrences that were never run are run: each once, in their order, and none twice."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from badgerjobs.runs import making
from badgerjobs.runs.backfill import MOST, backfill, runs_to_make
from badgerjobs.runs.models import Run, Runnable, SkipReason, State
from badgerjobs.runs.planning import Occurrence, Plan, Skip
from badgerjobs.web.problems import Conflict, Invalid
from tests.factories import NOW, make_application, make_run, make_runnable
from tests.runs.together import together

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
MONTH_AGO = NOW - timedelta(days=30)


def hourly(**fields: Any) -> Runnable:
    """Has been running every hour for a month."""
    return make_runnable(make_application(), **{"run_every": "PT1H", "anchor": MONTH_AGO, **fields})


def made(runnable: Runnable) -> list[tuple[datetime | None, int, str, bool]]:
    rows = Run.objects.of(runnable.pk).filter(cause="backfill").order_by("number")
    return list(rows.values_list("occurrence", "number", "state", "held"))


def test_what_has_no_run_gets_one_and_what_has_is_left_alone() -> None:
    runnable = hourly(runs_made=7)
    since = NOW - 5 * HOUR
    make_run(runnable, occurrence=since + HOUR, held=False)
    Run.objects.all().update(state="succeeded")

    count = backfill(runnable=runnable, since=since, until=since + 4 * HOUR, now=NOW)

    assert count == 3
    occurrences = [since, since + 2 * HOUR, since + 3 * HOUR]
    assert made(runnable) == [(at, 8 + i, "queued", i > 0) for i, at in enumerate(occurrences)]
    runnable.refresh_from_db()
    assert (runnable.runs_made, runnable.scheduled_runs) == (10, 0)
    assert backfill(runnable=runnable, since=since, until=since + 4 * HOUR, now=NOW) == 0


def test_what_was_skipped_can_be_run_later_and_the_ledger_keeps_both() -> None:
    runnable = hourly()
    making.skip([(runnable.pk, Skip(SkipReason.MISSED, NOW - 3 * HOUR, NOW - 2 * HOUR, 2))], now=NOW)

    assert backfill(runnable=runnable, since=NOW - 3 * HOUR, until=NOW - HOUR, now=NOW) == 2

    assert Run.objects.filter(state="skipped").count() == 1
    assert [at for at, *_ in made(runnable)] == [NOW - 3 * HOUR, NOW - 2 * HOUR]


def test_an_occurrence_that_was_backfilled_is_not_dispatched_once_more() -> None:
    runnable = hourly()
    backfill(runnable=runnable, since=NOW - HOUR, until=NOW, now=NOW)
    assert making.queue_planned([Plan(runnable.pk, None, [Occurrence(NOW - HOUR, NOW)])], NOW) == []


def test_the_future_is_not_backfilled() -> None:
    assert runs_to_make(hourly(), since=NOW, until=NOW + 5 * HOUR, now=NOW) == [NOW]


def test_the_occurrence_that_waits_in_its_spread_is_left_to_its_schedule() -> None:
    runnable = hourly(spread_s=3600, offset_ms=1_800_000, next_run_at=NOW + HOUR / 2)
    assert runs_to_make(runnable, since=NOW - 2 * HOUR, until=NOW + HOUR, now=NOW) == [NOW - 2 * HOUR, NOW - HOUR]


def test_one_that_was_aborted_has_a_run_and_gets_no_other() -> None:
    runnable = hourly()
    make_run(runnable, State.ABORTED, occurrence=NOW - HOUR)
    assert runs_to_make(runnable, since=NOW - 2 * HOUR, until=NOW, now=NOW) == [NOW - 2 * HOUR]


def test_they_go_at_once_where_runs_may_be_beside_each_other() -> None:
    runnable = hourly(overlap="allow")
    backfill(runnable=runnable, since=NOW - 2 * HOUR, until=NOW, now=NOW)
    assert [held for *_, held in made(runnable)] == [False, False]


def test_at_most_so_many_begin_in_a_minute() -> None:
    runnable = hourly(overlap="allow")
    backfill(runnable=runnable, since=NOW - 4 * HOUR, until=NOW, now=NOW, per_minute=30)
    dues = list(Run.objects.order_by("number").values_list("state", "due_at"))
    assert dues == [("queued" if i == 0 else "scheduled", NOW + timedelta(seconds=2 * i)) for i in range(4)]


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        (NOW, NOW, "must be after"),
        (NOW - timedelta(days=600), NOW, f"at most {MOST:,}"),
        (datetime.min.replace(tzinfo=UTC), NOW, "since.*before 1970"),
        (NOW - HOUR, datetime.max.replace(tzinfo=UTC), "until.*within the next ten years"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(since: datetime, until: datetime, said: str) -> None:
    runnable = hourly(anchor=NOW - timedelta(days=900))
    with pytest.raises(Invalid, match=said):
        backfill(runnable=runnable, since=since, until=until, now=NOW)
    assert not Run.objects.exists()


def test_what_was_deleted_meanwhile_says_so() -> None:
    runnable = hourly()
    Runnable.objects.all().delete()
    with pytest.raises(Conflict):
        backfill(runnable=runnable, since=NOW - HOUR, until=NOW, now=NOW)


def test_what_came_after_a_schedule_had_made_all_its_runs_was_never_planned() -> None:
    runnable = hourly(max_runs=2, scheduled_runs=1)
    making.queue_planned([Plan(runnable.pk, None, [Occurrence(NOW, NOW)])], NOW)
    runnable.refresh_from_db()
    found = runs_to_make(runnable, since=NOW - 2 * HOUR, until=NOW + 9 * HOUR, now=NOW + 9 * HOUR)
    assert found == [NOW - 2 * HOUR, NOW - HOUR]


def test_what_was_to_run_once_and_ran_late_is_not_run_again() -> None:
    runnable = make_runnable(make_application(), run_at=NOW - HOUR)
    assert runs_to_make(runnable, since=MONTH_AGO, until=NOW, now=NOW) == [NOW - HOUR]
    make_run(runnable, State.SUCCEEDED, occurrence=NOW)
    assert runs_to_make(runnable, since=MONTH_AGO, until=NOW + HOUR, now=NOW + HOUR) == []


@pytest.mark.django_db(transaction=True)
def test_two_who_backfill_at_once_make_each_run_once() -> None:
    runnable = hourly()
    counts = together(*[partial(backfill, runnable=runnable, since=NOW - 50 * HOUR, until=NOW, now=NOW)] * 3)
    assert sorted(counts) == [0, 0, 50]
    assert len(made(runnable)) == 50
