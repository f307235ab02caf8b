from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from badgerjobs.lib.schedule import Schedule, ScheduleError

NOW = datetime(2026, 10, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"run_at": NOW - 365 * DAY},
        {"run_at": NOW + 3652 * DAY},
        {"run_every": "PT1S"},
        {"run_every": "P1M", "run_at": NOW, "time_zone": "Europe/Zurich"},
        {"cron": "0 8 * * 1-5", "time_zone": "America/New_York"},
        {"preset": "weekly", "preset_time_zone": "America/New_York"},
    ],
)
def test_what_makes_a_schedule_is_taken(fields: dict[str, Any]) -> None:
    assert Schedule.parse(now=NOW, **fields) == Schedule(**fields)


def test_blank_texts_count_as_not_given_and_blanks_around_others_are_dropped() -> None:
    schedule = Schedule.parse(now=NOW, run_every=" ", cron=" 0  8 * * * ", preset="", time_zone="")
    assert schedule == Schedule(cron="0 8 * * *", time_zone="UTC")


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"run_every": "P1H"}, {"run_every": "P1H is not an ISO 8601 duration: did you mean PT1H?"}),
        ({"run_every": "PT0S"}, {"run_every": "PT0S is too short: one second (PT1S) is the least."}),
        ({"cron": "0 0 30 2 *"}, {"cron": "0 0 30 2 * never comes: that month has no such day."}),
        ({"time_zone": "Zurich"}, {"time_zone": "'Zurich' is not a time zone: did you mean Europe/Zurich?"}),
        ({"preset": "Daily"}, {"preset": "'Daily' is not a preset: did you mean daily?"}),
        ({"preset": "now"}, {"preset": "'now' is not a preset: give one of hourly, daily, weekly."}),
        (
            {"cron": "0 8 * * *", "run_every": "PT1H"},
            dict.fromkeys(["cron", "run_every"], "Give either cron or run_every, not both."),
        ),
        (
            {"preset": "daily", "run_every": "PT1H"},
            dict.fromkeys(["run_every", "preset"], "Give either run_every or preset, not both."),
        ),
        (
            {"cron": "0 8 * * *", "run_every": "PT1H", "preset": "daily"},
            dict.fromkeys(["cron", "run_every", "preset"], "Give either cron or run_every or preset, not all."),
        ),
    ],
)
def test_each_wrong_field_gets_a_sentence(fields: dict[str, Any], errors: dict[str, str]) -> None:
    with pytest.raises(ScheduleError) as raised:
        Schedule.parse(now=NOW, **fields)
    assert raised.value.errors == errors


@pytest.mark.parametrize(
    ("run_at", "part"),
    [
        (NOW.replace(tzinfo=None), "with an offset"),
        (NOW + 3654 * DAY, "ten years"),
        (datetime.max.replace(tzinfo=UTC), "ten years"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))), "ten years"),
        (datetime(1969, 12, 31, 23, 59, tzinfo=UTC), "1970"),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), "1970"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused(run_at: datetime, part: str) -> None:
    with pytest.raises(ScheduleError) as raised:
        Schedule.parse(now=NOW, run_at=run_at)
    assert list(raised.value.errors) == ["run_at"]
    assert part in raised.value.errors["run_at"]


def test_all_wrong_fields_are_told_at_once() -> None:
    with pytest.raises(ScheduleError) as raised:
        Schedule.parse(now=NOW, run_at=NOW.replace(tzinfo=None), cron="61 * * * *", time_zone="Nowhere")
    assert set(raised.value.errors) == {"run_at", "cron", "time_zone"}
    assert "cron: 61 * * * *: the minute" in str(raised.value)


def test_a_preset_in_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ScheduleError) as raised:
        Schedule.parse(now=NOW, preset="daily", preset_time_zone="Nowhere")
    assert list(raised.value.errors) == ["preset"]
