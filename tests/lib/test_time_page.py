"""The table of docs/time.md is what really happens."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from badgerjobs.lib import zones
from badgerjobs.lib.presets import PRESETS
from badgerjobs.lib.schedule import Schedule

PAGE = (Path(__file__).parents[2] / "docs" / "time.md").read_text()
ROWS = re.findall(r"^\| (\w+/\w+) \| (\d{4}-\d\d-\d\d) \| `(.+?)` \| ([\d: ]+) \| ([\d: ]+) \|$", PAGE, re.MULTILINE)


def written(schedule: str, zone: str, night: datetime) -> Schedule:
    if " from " not in schedule:
        return Schedule(cron=schedule, time_zone=zone)
    every, _, start = schedule.partition(" from ")
    hour, minute = map(int, start.split(":"))
    anchor = night - timedelta(days=3) + timedelta(hours=hour, minutes=minute)
    return Schedule(run_every=every, time_zone=zone, anchor=anchor.replace(tzinfo=zones.zone(zone)))


@pytest.mark.parametrize(("zone", "night", "schedule", "on_the_wall", "in_utc"), ROWS)
def test_the_page_says_when_it_runs_on_the_nights_of_change(
    zone: str, night: str, schedule: str, on_the_wall: str, in_utc: str
) -> None:
    place, midnight = zones.zone(zone), datetime.fromisoformat(night)
    start, end = ((midnight + timedelta(hours=hours)).replace(tzinfo=place).astimezone(UTC) for hours in (1, 3.5))
    following = written(schedule, zone, midnight).upcoming(start - timedelta(seconds=1), 20)
    found = [moment for moment in following if moment <= end]
    assert " ".join(f"{zones.local(moment, place):%H:%M}" for moment in found) == on_the_wall
    assert " ".join(f"{moment:%H:%M}" for moment in found) == in_utc


def test_the_page_has_the_nights_of_five_zones() -> None:
    assert len({(zone, night) for zone, night, *_ in ROWS}) == 9
    assert len({zone for zone, *_ in ROWS}) == 5
    assert len(ROWS) == 45


@pytest.mark.parametrize("name", PRESETS)
def test_the_page_has_every_preset_with_its_cron(name: str) -> None:
    assert f"| `{name}` | `{PRESETS[name].cron}` |" in PAGE
