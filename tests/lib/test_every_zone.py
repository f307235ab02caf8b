"""Against an oracle that reads the clock minute by minute: nothing skipped, nothing doubled, wherever clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

import pytest

from badgerjobs.lib import zones
from badgerjobs.lib.schedule import Schedule
from tests.in_turn import in_turn

# Two years from 2026 on.
NOWADAYS = (
    "Africa/Abidjan",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Johannesburg",
    "Africa/Lagos",
    "America/Argentina/Buenos_Aires",
    "America/Asuncion",
    "America/Bogota",
    "America/Chicago",
    "America/Denver",
    "America/Havana",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/New_York",
    "America/Nuuk",
    "America/Phoenix",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Dubai",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Asia/Tehran",
    "Asia/Tokyo",
    "Asia/Yangon",
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Darwin",
    "Australia/Eucla",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Europe/Dublin",
    "Europe/London",
    "Europe/Zurich",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Easter",
    "Pacific/Kiritimati",
    "Pacific/Marquesas",
    "UTC",
)
# Two years each in which a zone did what is not done every year: it skipped a day, moved for good, or to and fro.
ONCE = (
    ("Pacific/Apia", 2011),
    ("Pacific/Kwajalein", 1993),
    ("Africa/Casablanca", 2012),
    ("Asia/Pyongyang", 2018),
    ("Asia/Tehran", 2021),
    ("America/Caracas", 2016),
    ("America/Recife", 2000),
    ("Europe/Volgograd", 2018),
)
PLACES = (*((zone, 2026) for zone in NOWADAYS), *ONCE)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

each_zone = in_turn("zone, year", PLACES)


@lru_cache
def changes(zone: str, year: int) -> list[datetime]:
    place, start = zones.zone(zone), datetime(year, 1, 1, tzinfo=UTC)
    days = [start + count * DAY for count in range((start.replace(year=year + 2) - start).days)]
    return [change for day in days if (change := zones.next_change(day, day + DAY, place))]


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
    zone: str, year: int, expression: str, minutes: set[int], hours: set[int]
) -> None:
    for change in changes(zone, year):
        start, end = change - DAY, change + DAY
        found = walk(Schedule(cron=expression, time_zone=zone), start, end)
        assert found == by_the_minute(zone, minutes, hours, start, end)


@each_zone
@pytest.mark.parametrize("hour", [0, 1, 2, 3, 23])
@pytest.mark.parametrize("fields", [{"cron": "30 {hour} * * *"}, {"run_every": "P1D"}])
def test_what_runs_daily_runs_once_on_every_day(zone: str, year: int, hour: int, fields: dict[str, str]) -> None:
    place, wall = zones.zone(zone), time(hour, 30)
    for change in changes(zone, year):
        days = [zones.local(change, place).date() + count * DAY for count in range(-3, 4)]
        anchor = datetime.combine(days[0], wall, tzinfo=place)
        given: dict[str, Any] = {name: value.format(hour=hour) for name, value in fields.items()}
        end = datetime.combine(days[-1], time(23, 59), tzinfo=place)
        found = walk(Schedule(**given, anchor=anchor, time_zone=zone), anchor.astimezone(UTC), end.astimezone(UTC))
        local = [moment.astimezone(place) for moment in found]
        # What a series owes to a day that was skipped as a whole comes with the next day's, and is one with it.
        assert len(local) == sum("cron" in fields or exists(day, time(12), zone) for day in days)
        # On a day that lacks this time it runs all the same, and in Nuuk, where 23:30 is missing, on the next date.
        assert [one.date() for one in local if one.time() == wall] == [day for day in days if exists(day, wall, zone)]


def exists(day: date, wall: time, zone: str) -> bool:
    place = zones.zone(zone)
    return zones.local(zones.shifted(datetime.combine(day, wall), place), place) == datetime.combine(day, wall)


@each_zone
def test_what_runs_by_the_clock_alone_never_changes_its_step(zone: str, year: int) -> None:
    for change in changes(zone, year):
        schedule = Schedule(run_every="PT24H", anchor=change - 10 * DAY, time_zone=zone)
        assert walk(schedule, change - 2 * DAY, change + 2 * DAY) == [change + count * DAY for count in range(-2, 2)]


def on_the_wall(zone: str, year: int, hours: tuple[int, ...], minute: int) -> list[datetime]:
    """Each wall time of two years, and two days beside."""
    count = (date(year + 2, 1, 1) - date(year, 1, 1)).days
    days = [date(year, 1, 1) + number * DAY for number in range(-2, count + 2)]
    return [datetime.combine(day, time(hour, minute)) for day in days for hour in hours]


def shown(wall: datetime, zone: str) -> list[datetime]:
    """The moments at which the clock shows this: none in a gap, two where it is turned back."""
    place = zones.zone(zone)
    moments = sorted({wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1)})
    return [moment for moment in moments if moment.astimezone(place).replace(tzinfo=None) == wall]


def after_the_gap(wall: datetime, zone: str) -> datetime:
    """The first moment at which the clock has passed what it never showed."""
    place = zones.zone(zone)
    moment = wall.replace(tzinfo=place, fold=1).astimezone(UTC)
    while moment.astimezone(place).replace(tzinfo=None) < wall:
        moment += MINUTE
    return moment


def expected(schedule: str, zone: str, year: int) -> list[datetime]:
    if schedule == "15 */8 * * *":
        found = [moment for wall in on_the_wall(zone, year, (0, 8, 16), 15) for moment in shown(wall, zone)]
    elif schedule == "30 2 * * *":
        walls = on_the_wall(zone, year, (2,), 30)
        found = [next(iter(shown(wall, zone)), None) or after_the_gap(wall, zone) for wall in walls]
    else:
        found = [wall.replace(tzinfo=zones.zone(zone)).astimezone(UTC) for wall in on_the_wall(zone, year, (2,), 30)]
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 2, 1, 1, tzinfo=UTC)
    return sorted({moment for moment in found if start <= moment < end})


@each_zone
@pytest.mark.parametrize("schedule", ["15 */8 * * *", "30 2 * * *", "P1D"])
def test_over_two_years_none_is_skipped_and_none_is_doubled(zone: str, year: int, schedule: str) -> None:
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 2, 1, 1, tzinfo=UTC)
    anchor = datetime(year - 1, 12, 28, 2, 30, tzinfo=zones.zone(zone))
    rhythm: dict[str, Any] = {"run_every": schedule, "anchor": anchor} if schedule == "P1D" else {"cron": schedule}
    assert walk(Schedule(**rhythm, time_zone=zone), start, end) == expected(schedule, zone, year)


@each_zone
def test_no_change_of_clocks_is_overlooked(zone: str, year: int) -> None:
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 2, 1, 1, tzinfo=UTC)
    assert list(zones.changes(start, end, zones.zone(zone))) == changes(zone, year)


def test_the_zones_above_are_many_and_of_every_sort() -> None:
    assert len(set(NOWADAYS)) >= 40
    winters = {zone: zones.offset(datetime(2026, 1, 1, tzinfo=UTC), zones.zone(zone)) for zone in NOWADAYS}
    summers = {zone: zones.offset(datetime(2026, 7, 1, tzinfo=UTC), zones.zone(zone)) for zone in NOWADAYS}
    assert sum(winters[zone] < summers[zone] for zone in NOWADAYS) >= 12  # north of the equator
    assert sum(winters[zone] > summers[zone] for zone in NOWADAYS) >= 6  # south of it
    assert sum(bool(ahead % timedelta(hours=1)) for ahead in winters.values()) >= 8
    assert sum(len(changes(zone, 2026)) >= 4 for zone in NOWADAYS) >= 20
    assert [change for zone, year in ONCE for change in changes(zone, year)]
