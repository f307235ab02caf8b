"""What an application's overview counts: which runs, in which bar, and how late they began."""

from dataclasses import replace
from datetime import UTC, timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from badgerjobs.lib.time_bars import HOUR
from badgerjobs.lib.time_bars import starts as starts_of
from badgerjobs.panel import ranges
from badgerjobs.panel.ranges import RANGES
from badgerjobs.panel.tallies import FIVE_MINUTES, Tally
from badgerjobs.runs.models import Runnable, State
from badgerjobs.workspaces.models import Application
from tests.factories import make_application, make_job, make_token
from tests.panel.overview.past import DAY, MINUTE, NOW, ran
from tests.panel.overview.readers import overview

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("of", "ago", "is_in"),
    [
        ("1h", 3 * MINUTE, True),
        ("1h", 54 * MINUTE, True),
        ("1h", 61 * MINUTE, False),
        ("24h", 90 * MINUTE, True),
        ("24h", 23 * HOUR, True),
        ("24h", 25 * HOUR, False),
        ("7d", 25 * HOUR, True),
        ("7d", 6 * DAY, True),
        ("7d", 8 * DAY, False),
    ],
)
def test_a_run_is_counted_in_the_ranges_that_reach_back_to_it(
    shop: Application, runnable: Runnable, of: str, ago: timedelta, is_in: bool
) -> None:
    ran(runnable, NOW - ago)
    assert overview(shop, of).total.runs() == int(is_in)


def test_what_was_skipped_is_counted_by_occurrences_and_is_neither_a_run_nor_a_failure(
    shop: Application, runnable: Runnable
) -> None:
    ran(runnable, NOW - HOUR, State.SKIPPED, skip_reason="missed", skipped_count=240)
    ran(runnable, NOW - HOUR, State.SKIPPED)
    ran(runnable, NOW - HOUR)
    seen = overview(shop)
    assert (seen.day.skipped_count, seen.total.runs(), seen.succeeded_percent) == (241, 1, 100)


def test_each_run_is_in_the_bar_of_the_time_in_which_it_was_made(shop: Application, runnable: Runnable) -> None:
    for back in (0, 1, 1, 5, 23):
        ran(runnable, NOW - back * HOUR)
    drawn = overview(shop).day.succeeded
    assert [(bar.title, bar.count) for bar in drawn] == [
        ("13:00 1 succeeded", 1),
        ("07:00 1 succeeded", 1),
        ("11:00 2 succeeded", 2),
        ("12:00 1 succeeded", 1),
    ]
    assert max(bar.height for bar in drawn) == 96


def test_runs_are_told_apart_by_how_they_ended(shop: Application, runnable: Runnable) -> None:
    for state in (*State, State.SUCCEEDED, State.SUCCEEDED):
        ran(runnable, NOW - 2 * MINUTE, state)
    shown = overview(shop)
    assert shown.succeeded_percent == 75
    assert shown.total.runs() == len(State) + 1, "skipped occurrences are no runs"
    assert (shown.day.succeeded_count, shown.day.failed_count, shown.day.skipped_count) == (3, 1, 1)


def test_runs_of_another_application_are_not_counted(shop: Application, runnable: Runnable) -> None:
    theirs = make_job(make_application("Charlie's"), "reprice", now=NOW, run_every="PT1M").runnable
    for state in State:
        ran(theirs, NOW - MINUTE, state)
    make_token(theirs.application, expires_at=NOW + DAY)
    shown = overview(shop, now=NOW)
    assert (shown.total.runs(), shown.live[0][1]["said"]) == (0, "0 ran, 0 failed, 0 running, 0 due")
    assert (shown.moment.running, shown.moment.queued, shown.next, shown.needs.count) == (0, 0, [], 0)
    assert shown.moment.has_ending_tokens is False


def test_lateness_is_that_of_first_attempts(shop: Application, runnable: Runnable) -> None:
    for late in (20, 20, 20, 20, 900):
        ran(runnable, NOW - HOUR, late_ms=late)
    ran(runnable, NOW - HOUR, late_ms=60_000, attempts=2)
    middle, worst = overview(shop).lateness
    assert middle == pytest.approx(20, rel=0.06)
    assert worst == pytest.approx(900, rel=0.06)


@pytest.mark.parametrize("of", list(RANGES))
def test_a_range_is_divided_without_gaps_and_ends_now(of: str) -> None:
    for place in (UTC, timezone.get_fixed_timezone(330), timezone.get_fixed_timezone(-300)):
        starts = starts_of(RANGES[of], NOW, place)
        assert len(starts) == RANGES[of].bars
        assert starts[-1] <= NOW < starts[-1] + RANGES[of].length
        spans = ranges.wanted(RANGES[of], NOW, place)
        assert spans[0].start == starts[0]
        assert spans[-1].start <= NOW < spans[-1].end
        assert all(one.end == after.start for one, after in pairwise(spans))


def test_the_bars_of_a_week_begin_with_the_readers_day() -> None:
    place = timezone.get_fixed_timezone(-300)
    assert {start.astimezone(place).hour for start in starts_of(RANGES["7d"], NOW, place)} == {0, 6, 12, 18}


def test_young_spans_are_short_and_old_ones_are_hours() -> None:
    lengths = [span.length for span in ranges.wanted(RANGES["24h"], NOW, UTC)]
    assert lengths == [HOUR] * 21 + [FIVE_MINUTES] * 31


@pytest.mark.parametrize("of", RANGES)
def test_a_bar_of_which_a_part_was_not_counted_is_not_whole(of: str) -> None:
    wanted = ranges.wanted(RANGES[of], NOW + 42 * MINUTE, UTC)
    known = {span: Tally() for span in wanted}
    assert all(bar.is_whole for bar in ranges.bars(RANGES[of], NOW + 42 * MINUTE, UTC, known))
    del known[wanted[-1]]
    *others, last = ranges.bars(RANGES[of], NOW + 42 * MINUTE, UTC, known)
    assert (all(bar.is_whole for bar in others), last.is_whole) == (True, False)


def test_what_is_counted_in_part_does_not_stand_as_final(shop: Application, runnable: Runnable) -> None:
    ran(runnable, NOW - MINUTE)
    shown = overview(shop)
    assert shown.is_counted
    shown.bars[-1] = replace(shown.bars[-1], is_whole=False)
    assert not shown.is_counted
