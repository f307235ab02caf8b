"""Against an oracle that reads the clock minute by minute: nothing skipped, nothing doubled, wherever clocks change."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from badgerjobs.lib import zones
from badgerjobs.lib.schedule import Schedule

YEARS = (2026,)
ZONES = (
    "Europe/Zurich",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "America/Nuuk",
    "America/Havana",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Pacific/Chatham",
    "Atlantic/Azores",
    "UTC",
)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

each_zone = pytest.mark.parametrize("zone", ZONES)


def changes(zone: str) -> Iterator[datetime]:
    place = zones.zone(zone)
    for year in YEARS:
        moment = datetime(year, 1, 1, tzinfo=UTC)
        while moment.year == year:
            if change := zones.next_change(moment, moment + DAY, place):
                yield change
            moment += DAY


def walk(schedule: Schedule, start: datetime, end: datetime) -> list[datetime]:
    found, moment = [], start - timedelta(microseconds=1)
    while (following := schedule.next_after(moment)) and following < end:
        assert following > moment
        found.append(moment := following)
    return found


def by_the_minute(zone: str, minutes: set[int], hours: set[int], start: datetime, end: datetime) -> list[datetime]:
    place = zones.zone(zone)
    moments = (start + MINUTE * count for count in range((end - start) // MINUTE))
    walls = ((moment, moment.astimezone(place)) for moment in moments)
    return [moment for moment, wall in walls if wall.minute in minutes and wall.hour in hours]


@each_zone
@pytest.mark.parametrize(
    ("expression", "minutes", "hours"),
    [
        ("*/30 * * * *", {0, 30}, set(range(24))),
        ("15 */2 * * *", {15}, set(range(0, 24, 2))),
        ("*/25 0-3,23 * * *", {0, 25, 50}, {0, 1, 2, 3, 23}),
    ],
)
def test_cron_that_follows_the_clock_runs_whenever_the_clock_shows_it(
    zone: str, expression: str, minutes: set[int], hours: set[int]
) -> None:
    for change in changes(zone):
        start, end = change - DAY, change + DAY
        expected = by_the_minute(zone, minutes, hours, start, end)
        assert walk(Schedule(cron=expression, time_zone=zone), start, end) == expected


@each_zone
@pytest.mark.parametrize("hour", [0, 1, 2, 3, 23])
@pytest.mark.parametrize("fields", [{"cron": "30 {hour} * * *"}, {"run_every": "P1D"}])
def test_what_runs_daily_runs_once_on_every_day(zone: str, hour: int, fields: dict[str, str]) -> None:
    place, wall = zones.zone(zone), time(hour, 30)
    for change in changes(zone):
        days = [zones.local(change, place).date() + count * DAY for count in range(-3, 4)]
        anchor = datetime.combine(days[0], wall, tzinfo=place)
        given: dict[str, Any] = {name: value.format(hour=hour) for name, value in fields.items()}
        end = datetime.combine(days[-1], time(23, 59), tzinfo=place)
        found = walk(Schedule(**given, anchor=anchor, time_zone=zone), anchor.astimezone(UTC), end.astimezone(UTC))
        local = [moment.astimezone(place) for moment in found]
        assert len(local) == len(days)
        # On a day that lacks this time it runs all the same, and in Nuuk, where 23:30 is missing, on the next date.
        assert [one.date() for one in local if one.time() == wall] == [day for day in days if exists(day, wall, zone)]


def exists(day: date, wall: time, zone: str) -> bool:
    place = zones.zone(zone)
    return zones.local(zones.shifted(datetime.combine(day, wall), place), place).time() == wall


@each_zone
def test_what_runs_by_the_clock_alone_never_changes_its_step(zone: str) -> None:
    for change in changes(zone):
        schedule = Schedule(run_every="PT24H", anchor=change - 10 * DAY, time_zone=zone)
        assert walk(schedule, change - 2 * DAY, change + 2 * DAY) == [change + count * DAY for count in range(-2, 2)]


def test_the_zones_above_change_their_clocks_in_the_years_above() -> None:
    assert sum(1 for zone in ZONES for _ in changes(zone)) >= 2 * (len(ZONES) - 3) * len(YEARS)
