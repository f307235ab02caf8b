"""The next times of a schedule, with a word where clocks are changed between two of them."""

from datetime import UTC, datetime, timedelta, tzinfo

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


@pytest.mark.parametrize(
    ("times", "place", "notes"),
    [
        (
            ["2026-03-07 02:30", "2026-03-08 03:00", "2026-03-09 02:30"],
            NEW_YORK,
            ["", "02:30 does not exist that night", ""],
        ),
        (["2026-03-08 03:30", "2026-03-09 02:30"], NEW_YORK, ["02:30 does not exist that night", ""]),
        (["2026-03-08 01:00", "2026-03-08 03:00", "2026-03-08 04:00"], NEW_YORK, ["", "", ""]),
        (["2026-03-07 03:00", "2026-03-08 03:00"], NEW_YORK, ["", ""]),
        (["2026-10-31 01:30", "2026-11-01 01:30"], NEW_YORK, ["", "01:30 comes twice that night: this is the first"]),
        (["2026-10-31 01:30", "2026-11-01 01:30"], TOKYO, ["", ""]),
    ],
    ids=["after the gap", "shifted", "hourly", "beside the gap", "doubled", "no change"],
)
def test_a_time_that_is_odd_that_night_says_so(times: list[str], place: tzinfo, notes: list[str]) -> None:
    moments = [datetime.fromisoformat(wall).replace(tzinfo=place).astimezone(UTC) for wall in times]
    assert [row.note for row in upcoming(moments, place, UTC)] == notes


def test_the_second_of_a_doubled_hour_is_called_so() -> None:
    moment = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert upcoming([moment], NEW_YORK)[0].note == "01:30 comes twice that night: this is the second"
