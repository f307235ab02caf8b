"""The table of docs/time.md is what really happens."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from badgerjobs.lib import durations, zones
from badgerjobs.lib.presets import PRESETS
from badgerjobs.lib.schedule import Schedule
from tests.in_turn import in_turn

PAGE = (Path(__file__).parents[2] / "docs" / "time.md").read_text()
ROWS = re.findall(r"^\| (\w+/\w+) \| (\d{4}-\d\d-\d\d) \| `(.+?)` \| ([\d: ]+) \| ([\d: ]+) \|$", PAGE, re.MULTILINE)


def written(schedule: str, zone: str, night: datetime) -> Schedule:
    if " from " not in schedule:
        return Schedule(cron=schedule, time_zone=zone)
    every, _, start = schedule.partition(" from ")
    hour, minute = map(int, start.split(":"))
    anchor = night - timedelta(days=3) + timedelta(hours=hour, minutes=minute)
    return Schedule(run_every=every, time_zone=zone, anchor=anchor.replace(tzinfo=zones.zone(zone)))


@in_turn("zone, night, schedule, on_the_wall, in_utc", ROWS)
def test_the_page_says_when_it_runs_on_the_nights_of_change(
    zone: str, night: str, schedule: str, on_the_wall: str, in_utc: str
) -> None:
    place, midnight = zones.zone(zone), datetime.fromisoformat(night)
    start, end = ((midnight + timedelta(hours=hours)).replace(tzinfo=place).astimezone(UTC) for hours in (1, 3.5))
    following = written(schedule, zone, midnight).upcoming(start - timedelta(seconds=1), 20)
    found = [moment for moment in following if moment <= end]
    assert " ".join(f"{zones.local(moment, place):%H:%M}" for moment in found) == on_the_wall
    assert " ".join(f"{moment:%H:%M}" for moment in found) == in_utc


NIGHTS = sorted({(zone, night) for zone, night, *_ in ROWS})


def forward(zone: str, night: str) -> int:
    """1 when the clocks are put forward that night, -1 back, 0 neither."""
    place, midnight = zones.zone(zone), datetime.fromisoformat(night)
    before, after = (
        zones.offset((midnight + timedelta(hours=hours)).replace(tzinfo=place), place) for hours in (0.5, 4)
    )
    return (after > before) - (after < before)


def test_the_page_has_a_spring_and_an_autumn_night_of_five_zones() -> None:
    found = {zone: sorted(forward(zone, night) for of, night in NIGHTS if of == zone) for zone, _ in NIGHTS}
    assert found == {
        "Africa/Casablanca": [-1, 1],
        "America/New_York": [-1, 1],
        "Asia/Kathmandu": [0, 0],
        "Australia/Lord_Howe": [-1, 1],
        "Europe/Zurich": [-1, 1],
    }


def test_the_page_has_every_kind_of_schedule_for_every_night() -> None:
    schedules = {"45 1 * * *", "15 2 * * *", "*/30 * * * *", "P1D from 02:15", "PT24H from 02:15"}
    assert sorted((zone, night, schedule) for zone, night, schedule, *_ in ROWS) == sorted(
        (zone, night, schedule) for zone, night in NIGHTS for schedule in schedules
    )


def test_a_zone_of_which_the_page_says_that_it_never_changes_does_not() -> None:
    assert "Kathmandu never changes its clocks" in PAGE
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert not list(zones.changes(start, start + timedelta(days=3653), zones.zone("Asia/Kathmandu")))


def test_the_page_tells_the_day_that_samoa_skipped() -> None:
    assert "cron at 08:00 runs when the 31st begins,\nand again at 08:00" in PAGE
    place = zones.zone("Pacific/Apia")
    start, end = (datetime(2011, 12, day, 12, tzinfo=place) for day in (29, 31))
    cron = Schedule(cron="0 8 * * *", time_zone="Pacific/Apia").missed(start, end)
    series = Schedule(run_every="P1D", time_zone="Pacific/Apia", anchor=start - timedelta(hours=28)).missed(start, end)
    assert cron
    assert (cron.first.astimezone(place).hour, cron.last.astimezone(place).hour, cron.count) == (0, 8, 2)
    assert series
    assert (series.first.astimezone(place).hour, series.count) == (8, 1)


@pytest.mark.parametrize(("ms", "iso"), re.findall(r"(\d+) is `(PT[\d.HMS]+)`", PAGE))
def test_the_page_has_milliseconds_right(ms: str, iso: str) -> None:
    assert durations.of_milliseconds(int(ms)) == iso


def test_the_page_has_the_least_and_the_most_of_milliseconds() -> None:
    least, most = durations.SHORTEST // timedelta(milliseconds=1), durations.LONGEST // timedelta(milliseconds=1)
    assert f"From {least} to {most}, which is ten years" in PAGE


@pytest.mark.parametrize("name", PRESETS)
def test_the_page_has_every_preset_with_its_cron(name: str) -> None:
    assert f"| `{name}` | `{PRESETS[name].cron}` |" in PAGE
