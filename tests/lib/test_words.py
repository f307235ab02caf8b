"""Numbers and times as pages say them."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest

from badgerjobs.lib import words

ZURICH, NEW_YORK = ZoneInfo("Europe/Zurich"), ZoneInfo("America/New_York")
NOON = datetime(2026, 10, 30, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "now"),
        (-0.9, "now"),
        (20, "in 20 s"),
        (-59.9, "59 s ago"),
        (125, "in 2 min"),
        (899.4, "in 15 min"),
        (14_399, "in 4 h"),
        (86_400 * 7 - 1, "in 7 d"),
        (-899, "14 min ago"),
        (-5_460, "1 h 31 min ago"),
        (7_200, "in 2 h"),
        (79_200, "in 22 h"),
        (-86_400 * 3 - 5, "3 d ago"),
    ],
)
def test_how_long_ago_is_said_in_its_largest_unit(seconds: float, said: str) -> None:
    assert words.relative(seconds) == said


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (0, "0 ms"),
        (38, "38 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (1_840, "1.84 s"),
        (44_000, "44 s"),
        (59_600, "1 min"),
        (66_000, "1 min 6 s"),
        (7_500_000, "2 h 5 min"),
        (273_600_000, "3 d 4 h"),
    ],
)
def test_a_duration_has_two_units_at_most(ms: float, said: str) -> None:
    assert words.duration(ms) == said


@pytest.mark.parametrize(
    ("count", "said"), [(1, "1 byte"), (171, "171 bytes"), (64_000, "64.0 KB"), (1_250_000, "1.2 MB")]
)
def test_a_size_counts_in_thousands(count: int, said: str) -> None:
    assert words.size(count) == said


@pytest.mark.parametrize(
    ("zone", "reader", "said"),
    [
        (NEW_YORK, ZURICH, "Fri 30 Oct, 08:00 New York · 13:00 Zurich"),
        (ZURICH, ZURICH, "Fri 30 Oct, 13:00 Zurich · 12:00 UTC"),
        (UTC, UTC, "Fri 30 Oct, 12:00 UTC"),
        (timezone(timedelta(hours=-5), "EST"), UTC, "Fri 30 Oct, 07:00 EST · 12:00 UTC"),
    ],
    ids=["two places", "the reader's own", "UTC alone", "EST"],
)
def test_the_exact_time_stands_in_its_zone_and_the_readers(zone: tzinfo, reader: tzinfo, said: str) -> None:
    assert words.exact(NOON, zone, reader) == said


@pytest.mark.parametrize(
    ("hour", "reader", "said"),
    [
        (12, ZURICH, "30 Oct 2026, 13:00:00 Zurich · 12:00:00 UTC"),
        (23, ZURICH, "31 Oct 2026, 00:00:00 Zurich · 30 Oct 23:00:00 UTC"),
        (12, UTC, "30 Oct 2026, 12:00:00 UTC"),
    ],
    ids=["one day", "two days", "UTC alone"],
)
def test_a_stamp_has_its_year_and_both_days_where_there_are_two(hour: int, reader: tzinfo, said: str) -> None:
    assert words.stamp(NOON.replace(hour=hour), reader) == said


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (NOON - timedelta(hours=3), "08:00 New York · 13:00 Zurich"),
        (NOON - timedelta(days=1), "Fri 08:00 New York · 13:00 Zurich"),
        (NOON + timedelta(days=6), "Fri 08:00 New York · 13:00 Zurich"),
        (NOON - timedelta(days=8), "Fri 30 Oct 08:00 New York · 13:00 Zurich"),
    ],
    ids=["today", "tomorrow", "days ago", "next week"],
)
def test_a_near_time_is_said_as_short_as_it_can_be(now: datetime, said: str) -> None:
    assert words.soon(NOON + timedelta(seconds=7), NEW_YORK, ZURICH, now) == said
    assert words.soon(NOON, UTC, UTC, NOON) == "12:00 UTC"


def test_seconds_are_shown_where_there_are_some() -> None:
    assert words.clock(NOON + timedelta(seconds=5), UTC) == "12:00:05"


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("bob@example.com", "b…b@example.com"),
        ("bo@example.com", "b…@example.com"),
        ("b@example.com", "b…@example.com"),
        ('"a@b"@example.com', '"…"@example.com'),
    ],
)
def test_of_an_address_so_much_is_said_that_its_owner_knows_it(email: str, said: str) -> None:
    assert words.masked(email) == said


@pytest.mark.parametrize(
    ("value", "said"), [(100, "100"), (99.999, "99.99"), (99.75, "99.75"), (33.333, "33.33"), (0, "0.00")]
)
def test_a_share_is_all_only_when_it_is(value: float, said: str) -> None:
    assert words.percent(value) == said


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 cache keys"), (1, "1 cache key"), (2, "2 cache keys"), (10_000, "10,000 cache keys")]
)
def test_one_of_a_thing_is_not_said_like_many(count: int, said: str) -> None:
    assert words.counted(count, "cache key") == said
