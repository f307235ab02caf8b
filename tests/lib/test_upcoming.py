"""The next times of a schedule, with a word where clocks are changed between two of them."""

from datetime import UTC, datetime, timedelta

import pytest

from badgerjobs.lib import zones
from badgerjobs.lib.upcoming import upcoming

NEW_YORK, ZURICH, TOKYO = map(zones.zone, ("America/New_York", "Europe/Zurich", "Asia/Tokyo"))


def days(first: datetime, count: int = 3) -> list[datetime]:
    return [first + timedelta(days=number) for number in range(count)]


@pytest.mark.parametrize(
    ("first", "shifts"),
    [
        (datetime(2026, 10, 30, 12, tzinfo=UTC), [(), (), ("Clocks go back in New York, Sun 1 Nov 02:00",)]),
        (datetime(2026, 3, 28, 12, tzinfo=UTC), [(), ("Clocks go forward in Zurich, Sun 29 Mar 02:00",), ()]),
        (datetime(2026, 7, 1, 12, tzinfo=UTC), [(), (), ()]),
    ],
)
def test_a_change_of_the_clocks_stands_before_the_time_that_follows_it(
    first: datetime, shifts: list[tuple[str, ...]]
) -> None:
    rows = upcoming(days(first), NEW_YORK, ZURICH)
    assert [row.moment for row in rows] == days(first)
    assert [row.shifts for row in rows] == shifts


def test_two_zones_that_are_one_say_it_once() -> None:
    rows = upcoming(days(datetime(2026, 3, 28, 12, tzinfo=UTC)), ZURICH, ZURICH)
    assert [len(row.shifts) for row in rows] == [0, 1, 0]


def test_nothing_that_comes_is_no_rows() -> None:
    assert upcoming([], TOKYO) == []


def test_every_name_of_a_zone_is_one() -> None:
    names = zones.names()
    assert {"UTC", "Europe/Zurich"} < set(names)
    assert names == sorted(names)
    assert all(zones.zone(name) for name in names)
