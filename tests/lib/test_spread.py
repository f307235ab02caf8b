from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from badgerjobs.lib.schedule import Schedule
from badgerjobs.lib.spread import offset, spread_too_long

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
MS = timedelta(milliseconds=1)


@given(st.text(max_size=40), st.timedeltas(timedelta(), timedelta(days=3653)))
def test_an_offset_is_whole_milliseconds_from_zero_to_less_than_the_spread(key: str, spread: timedelta) -> None:
    found = offset(key, spread)
    assert found % MS == timedelta()
    assert timedelta() <= found < max(spread, MS)


@pytest.mark.parametrize(
    ("key", "spread", "expected"),
    [
        ("a", timedelta(), timedelta()),
        ("a", -MINUTE, timedelta()),
        ("a", MS / 2, timedelta()),
        ("a", MS, timedelta()),
        ("a", 15 * MINUTE, timedelta(seconds=895, milliseconds=693)),
    ],
)
def test_an_offset_is_the_same_everywhere_and_always(key: str, spread: timedelta, expected: timedelta) -> None:
    assert offset(key, spread) == expected


def test_offsets_use_the_whole_spread_and_no_part_of_it_more_than_another() -> None:
    tenths = Counter(int(offset(f"job-{number}", 10 * SECOND) / SECOND) for number in range(10_000))
    assert sorted(tenths) == list(range(10))
    assert all(900 < count < 1100 for count in tenths.values())


def test_every_place_of_a_short_spread_is_taken() -> None:
    assert {offset(str(number), 3 * MS) for number in range(100)} == {timedelta(), MS, 2 * MS}
    assert {offset(str(number), 2.5 * MS) for number in range(100)} == {timedelta(), MS, 2 * MS}


@pytest.mark.parametrize(
    ("schedule", "longest"),
    [
        (Schedule(run_every="PT15M"), 15 * MINUTE),
        (Schedule(run_every="PT1S", run_at=NOW + HOUR), SECOND),
        (Schedule(cron="0,10 8 * * *"), 10 * MINUTE),
        (Schedule(cron="0 8 * * *"), 24 * HOUR),
        (Schedule(preset="hourly"), HOUR),
        # In the night of 25 October the day before the last but a few has 25 hours, and none has less than 24.
        (Schedule(cron="0 8 * * *", time_zone="Europe/Zurich", run_at=NOW + 140 * 24 * HOUR), 24 * HOUR),
        # In March one has 23.
        (Schedule(run_every="P1D", time_zone="Europe/Zurich", run_at=NOW + 290 * 24 * HOUR), 23 * HOUR),
    ],
)
def test_a_spread_may_be_as_long_as_the_shortest_time_between_two_occurrences(
    schedule: Schedule, longest: timedelta
) -> None:
    assert spread_too_long(schedule, timedelta(), NOW) is None
    assert spread_too_long(schedule, longest, NOW) is None
    assert spread_too_long(schedule, longest + MS, NOW) is not None


def test_a_spread_that_is_too_long_is_refused_with_the_longest_that_is_not() -> None:
    assert spread_too_long(Schedule(run_every="PT1H"), 90 * MINUTE, NOW) == (
        "A spread of 1 hour and 30 minutes is longer than the shortest time between two of the next occurrences, "
        "1 hour: give that at most, or let it run less often."
    )


@pytest.mark.parametrize(
    "schedule", [Schedule(), Schedule(run_at=NOW), Schedule(run_every="PT1H", end_at=NOW + 30 * MINUTE)]
)
def test_what_comes_once_or_never_may_have_any_spread(schedule: Schedule) -> None:
    assert spread_too_long(schedule, 1000 * HOUR, NOW) is None
