"""What was missed is what a walk with `next_after` would have found, only sooner."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from badgerjobs.lib import zones
from badgerjobs.lib.schedule import Missed, Schedule, ScheduleError

NOW = datetime(2026, 10, 24, 12, 0, 5, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


@contextmanager
def counting_calls() -> Iterator[list[int]]:
    """Count the calls of functions, Python's own included. They are in the list at the end."""
    calls: list[int] = []
    sys.setprofile(lambda _frame, event, _argument: calls.append(event in {"call", "c_call"}))
    try:
        yield calls
    finally:
        sys.setprofile(None)


def walked(schedule: Schedule, after: datetime, until: datetime) -> Missed | None:
    found, moment = [], after
    while (following := schedule.next_after(moment)) and following <= until:
        found.append(moment := following)
    return Missed(found[0], found[-1], len(found)) if found else None


# Moments near which clocks changed: by an hour, by half an hour, by a whole day, at midnight, and twice in a month.
CHANGES = {
    "Europe/Zurich": [datetime(2026, 3, 29, 1), datetime(2026, 10, 25, 1)],  # noqa: DTZ001
    "America/New_York": [datetime(2026, 3, 8, 7), datetime(2026, 11, 1, 6)],  # noqa: DTZ001
    "Australia/Lord_Howe": [datetime(2026, 4, 4, 15), datetime(2026, 10, 3, 15, 30)],  # noqa: DTZ001
    "Africa/Casablanca": [datetime(2026, 2, 15, 2), datetime(2026, 3, 22, 2)],  # noqa: DTZ001
    "America/Santiago": [datetime(2026, 4, 5, 3), datetime(2026, 9, 6, 4)],  # noqa: DTZ001
    "America/Havana": [datetime(2026, 3, 8, 5), datetime(2026, 11, 1, 5)],  # noqa: DTZ001
    "America/Nuuk": [datetime(2026, 3, 29, 1), datetime(2026, 10, 25, 1)],  # noqa: DTZ001
    "Pacific/Apia": [datetime(2011, 12, 30, 10)],  # noqa: DTZ001
    "Pacific/Kwajalein": [datetime(1993, 8, 21, 12)],  # noqa: DTZ001
    "Antarctica/Vostok": [datetime(1994, 1, 31, 17), datetime(1994, 11, 1)],  # noqa: DTZ001
    "America/Recife": [datetime(2000, 10, 8, 3), datetime(2000, 10, 15, 2)],  # noqa: DTZ001
    "UTC": [datetime(2026, 10, 25, 1)],  # noqa: DTZ001
}
RHYTHMS = [
    {"cron": "* * * * *"}, {"cron": "*/25 0-3,22,23 * * *"}, {"cron": "15 */2 * * *"}, {"cron": "30 * * * *"},
    {"cron": "30 2 * * *"}, {"cron": "0,30 0,1,2,3,23 * * *"}, {"cron": "0-59 0-3 * * *"}, {"cron": "0 0 * * *"},
    {"cron": "5 1 13 * FRI"}, {"cron": "0 0 L,15 * *"}, {"cron": "*/20 2 29,30,31 3,10 SUN"}, {"preset": "daily"},
    {"run_every": "PT1H"}, {"run_every": "PT7M1.5S"}, {"run_every": "P1D"}, {"run_every": "P1W"},
    {"run_every": "P1M"}, {"run_every": "P1DT1H"},
]  # fmt: skip
spots = st.sampled_from([(zone, change.replace(tzinfo=UTC)) for zone in CHANGES for change in CHANGES[zone]])


def hours(least: int, most: int) -> st.SearchStrategy[timedelta]:
    """Mostly round ones, so that the ends meet occurrences and changes exactly."""
    quarters = st.integers(least * 4, most * 4).map(lambda count: count * HOUR / 4)
    return st.one_of(quarters, st.timedeltas(least * HOUR, most * HOUR))


@settings(max_examples=600, deadline=None)
@given(spot=spots, rhythm=st.sampled_from(RHYTHMS), lead=hours(-30, 80), span=hours(0, 120), anchored=hours(0, 400))
@example(  # the day that Samoa skipped, wholly inside, for a daily series
    spot=("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    rhythm={"run_every": "P1D"},
    lead=60 * HOUR,
    span=120 * HOUR,
    anchored=100 * HOUR,
)
@example(  # the same, when it begins within the second before
    spot=("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    rhythm={"run_every": "P1D"},
    lead=timedelta(microseconds=1),
    span=HOUR / 4,
    anchored=DAY,
)
def test_around_a_change_of_clocks_as_many_are_missed_as_a_walk_finds(
    spot: tuple[str, datetime], rhythm: dict[str, Any], lead: timedelta, span: timedelta, anchored: timedelta
) -> None:
    zone, change = spot
    schedule = Schedule(**rhythm, time_zone=zone, preset_time_zone=zone, anchor=change - anchored)
    after = change - lead
    assert schedule.missed(after, after + span) == walked(schedule, after, after + span)


@pytest.mark.parametrize("zone", CHANGES)
@pytest.mark.parametrize("rhythm", [{"cron": "30 2,4 * * *"}, {"cron": "15 */6 * * *"}, {"run_every": "P1D"}])
def test_over_two_years_as_many_are_missed_as_a_walk_finds(zone: str, rhythm: dict[str, Any]) -> None:
    middle = CHANGES[zone][0].replace(tzinfo=UTC)
    schedule = Schedule(**rhythm, time_zone=zone, anchor=(middle - 400 * DAY).replace(hour=2, minute=30))
    after, until = middle - 365 * DAY, middle + 365 * DAY
    assert schedule.missed(after, until) == walked(schedule, after, until)


@settings(max_examples=150, deadline=None)
@given(
    every=st.sampled_from(["P1M", "P3M", "P1Y", "P1W", "P10D", "P1M1D", "P1DT12H", "PT36H"]),
    zone=st.sampled_from(list(CHANGES)),
    day=st.integers(1, 31),
    lead=st.timedeltas(-400 * DAY, 4000 * DAY),
    span=st.timedeltas(timedelta(), 1500 * DAY),
)
def test_of_a_long_series_as_many_are_missed_as_a_walk_finds(
    every: str, zone: str, day: int, lead: timedelta, span: timedelta
) -> None:
    anchor = datetime(1990, 1, day, 8, tzinfo=zones.zone(zone))
    schedule = Schedule(run_every=every, time_zone=zone, anchor=anchor)
    after = anchor.astimezone(UTC) + lead
    assert schedule.missed(after, after + span) == walked(schedule, after, after + span)


@pytest.mark.parametrize("start", range(-30, 31, 6))
@pytest.mark.parametrize("hours", [3, 6, 12, 24, 30, 48])
def test_a_daily_series_counts_the_day_that_a_zone_skipped_and_the_next_as_one(start: int, hours: int) -> None:
    skipped = CHANGES["Pacific/Apia"][0].replace(tzinfo=UTC)
    anchor = skipped - 5 * DAY + 8 * HOUR  # eight in the morning; that of the skipped day comes eight hours after it
    schedule = Schedule(run_every="P1D", time_zone="Pacific/Apia", anchor=anchor)
    after, until = skipped + start * HOUR, skipped + (start + hours) * HOUR
    assert schedule.missed(after, until) == walked(schedule, after, until)


@pytest.mark.parametrize(
    ("schedule", "count"),
    [
        (Schedule(cron="* * * * *", time_zone="Africa/Casablanca"), 3652 * 1440),
        (Schedule(cron="0-59 0-23 * * *", time_zone="Asia/Kolkata"), 3652 * 1440),
        (Schedule(cron="0 0 * * *", time_zone="Europe/Zurich"), 3652),
        (Schedule(run_every="PT1S", anchor=NOW), 3652 * 86_400),
        (Schedule(run_every="P1D", anchor=NOW, time_zone="Europe/Zurich"), 3652),
        (Schedule(run_every="P1M", anchor=NOW), 119),
    ],
)
def test_ten_years_are_counted_without_a_walk(schedule: Schedule, count: int) -> None:
    with counting_calls() as calls:
        missed = schedule.missed(NOW, NOW + 3652 * DAY)
    assert sum(calls) < 100_000  # a walk through the minutes of one day takes as many
    assert missed
    assert missed.count == count
    assert missed.first == schedule.next_after(NOW)
    assert missed.last <= NOW + 3652 * DAY < (schedule.next_after(missed.last) or NOW)


def test_what_was_missed_is_later_than_the_one_moment_and_not_later_than_the_other() -> None:
    schedule = Schedule(run_every="PT1H", anchor=NOW)
    assert schedule.missed(NOW, NOW + 2 * HOUR) == Missed(NOW + HOUR, NOW + 2 * HOUR, 2)
    assert schedule.missed(NOW - SECOND, NOW) == Missed(NOW, NOW, 1)
    assert schedule.missed(NOW, NOW + HOUR - SECOND) is None
    assert schedule.missed(NOW, NOW) is None
    assert schedule.missed(NOW + HOUR, NOW) is None


@pytest.mark.parametrize("rhythm", [{"run_every": "P1D"}, {"run_every": "PT24H"}, {"cron": "5 12 * * *"}])
def test_nothing_is_missed_before_the_start_and_after_the_end(rhythm: dict[str, str]) -> None:
    start = NOW + 5 * DAY
    schedule = Schedule(**rhythm, run_at=start, end_at=start + 2 * DAY)  # type: ignore[arg-type]
    missed = schedule.missed(NOW, NOW + 100 * DAY)
    assert missed == walked(schedule, NOW, NOW + 100 * DAY)
    assert missed
    assert start <= missed.first
    assert missed.last <= start + 2 * DAY
    assert schedule.missed(start + 2 * DAY, start + 9 * DAY) is None


def test_once_is_missed_when_its_time_lies_between() -> None:
    schedule = Schedule(run_at=NOW)
    assert schedule.missed(NOW - DAY, NOW) == Missed(NOW, NOW, 1)
    assert schedule.missed(NOW - DAY, NOW - SECOND) is None
    assert schedule.missed(NOW, NOW + DAY) is None
    assert Schedule(run_at=NOW, end_at=NOW - HOUR).missed(NOW - DAY, NOW) is None


def test_by_hand_only_nothing_is_missed() -> None:
    assert Schedule().missed(NOW, NOW + 1000 * DAY) is None


def test_in_a_doubled_hour_spans_are_told_apart_whatever_zone_their_ends_come_in() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=zones.zone("Europe/Zurich"))
    schedule = Schedule(cron="*/30 * * * *", time_zone="Europe/Zurich")
    missed = schedule.missed(first, first.replace(fold=1))
    assert missed == Missed(first.astimezone(UTC) + HOUR / 2, first.astimezone(UTC) + HOUR, 2)
    assert missed.last.tzinfo is UTC


def test_fields_that_do_not_hold_any_more_are_named() -> None:
    with pytest.raises(ScheduleError) as raised:
        Schedule(cron="0 8 * * *", time_zone="Gone/Zone").missed(NOW, NOW + DAY)
    assert list(raised.value.errors) == ["time_zone"]
    with pytest.raises(ValueError, match="anchor"):
        Schedule(run_every="PT1H").missed(NOW, NOW + DAY)
    with pytest.raises(ValueError, match="time zone"):
        Schedule(cron="0 8 * * *").missed(NOW.replace(tzinfo=None), NOW)
