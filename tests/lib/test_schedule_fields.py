from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from badgerjobs.lib.schedule import Schedule, ScheduleError
from badgerjobs.lib.schedule_fields import check

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
        {"run_every": "P1D", "end_at": NOW},
        {"run_every": "P1D", "run_at": NOW + DAY, "end_at": NOW + DAY},
        {"cron": "0 8 * * *", "end_at": NOW + 3652 * DAY},
        {"preset": "daily", "run_at": NOW - 9 * DAY, "end_at": NOW + DAY},
        # What was set earlier has its anchor from then, and may have ended.
        {"run_every": "P1D", "anchor": NOW - 9 * DAY, "end_at": NOW - DAY},
        {"cron": "0 8 * * *", "run_at": NOW - 9 * DAY, "anchor": NOW - 9 * DAY, "end_at": NOW - DAY},
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


AFTER_NOW = "The end is before the start: give a time after 2026-10-30T12:00:00Z."
NOT_REPEATED = "Only what repeats has an end: leave end_at out, or give run_every, cron or preset."
NOTHING = "Nothing would run before that end: give a later one, or a sooner start."
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"run_every": "P1D", "end_at": NOW - INSTANT}, AFTER_NOW),
        ({"run_every": "P1D", "end_at": datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))}, AFTER_NOW),
        ({"run_every": "P1D", "run_at": NOW - 9 * DAY, "end_at": NOW - DAY}, AFTER_NOW),
        ({"cron": "0 8 * * *", "run_at": NOW, "end_at": NOW - INSTANT}, AFTER_NOW),
        (
            {"preset": "daily", "run_at": NOW + 2 * DAY, "end_at": NOW + DAY},
            "The end is before the start: give a time after 2026-11-01T12:00:00Z.",
        ),
        (
            {"run_every": "P1D", "anchor": NOW - DAY, "end_at": NOW - 2 * DAY},
            "The end is before the start: give a time after 2026-10-29T12:00:00Z.",
        ),
        ({"run_at": NOW + DAY, "end_at": NOW + 2 * DAY}, NOT_REPEATED),
        ({"end_at": NOW + 2 * DAY}, NOT_REPEATED),
        (
            {"run_every": "P1D", "end_at": NOW.replace(tzinfo=None)},
            "Say where that time is: end it with Z for UTC or with an offset, like 2026-11-21T22:50:28+01:00.",
        ),
        (
            {"run_every": "P1D", "end_at": NOW + 3654 * DAY},
            "That is more than ten years ahead: give a time within the next ten years.",
        ),
        ({"cron": "0 8 * * *", "end_at": NOW + DAY / 2}, NOTHING),
        ({"cron": "0 8 1 1 *", "run_at": NOW + DAY, "end_at": NOW + 20 * DAY}, NOTHING),
        ({"run_every": "P1D", "run_at": NOW - 1.25 * DAY, "end_at": NOW + DAY / 2}, NOTHING),
    ],
)
def test_an_end_that_cannot_be_meant_is_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ScheduleError) as raised:
        Schedule.parse(now=NOW, **fields)
    assert raised.value.errors == {"end_at": sentence}


@pytest.mark.parametrize(
    "run_at", [NOW.replace(tzinfo=None), datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))]
)
def test_an_end_beside_a_start_that_cannot_be_meant_is_no_mistake_of_its_own(run_at: datetime) -> None:
    with pytest.raises(ScheduleError) as raised:
        Schedule.parse(now=NOW, run_every="P1D", run_at=run_at, end_at=NOW + DAY)
    assert list(raised.value.errors) == ["run_at"]


def test_all_wrong_fields_are_told_at_once() -> None:
    with pytest.raises(ScheduleError) as raised:
        Schedule.parse(now=NOW, run_at=NOW.replace(tzinfo=None), cron="61 * * * *", time_zone="Nowhere")
    assert set(raised.value.errors) == {"run_at", "cron", "time_zone"}
    assert "cron: 61 * * * *: the minute" in str(raised.value)


def test_a_preset_in_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ScheduleError) as raised:
        Schedule.parse(now=NOW, preset="daily", preset_time_zone="Nowhere")
    assert list(raised.value.errors) == ["preset"]


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Europe/Zurich", "2026-12-24T08:00:00+01:00"), ("Asia/Kathmandu", "2026-12-24T12:45:00+05:45"),
        ("Europe/London", "2026-12-24T07:00:00Z"), (None, "2026-12-24T07:00:00Z"), ("Mars", "2026-12-24T07:00:00Z"),
    ],
)  # fmt: skip
def test_the_start_that_an_end_comes_before_is_told_in_the_schedules_zone(zone: str | None, said: str) -> None:
    start = datetime(2026, 12, 24, 7, tzinfo=UTC)
    found = check({"run_every": "PT1H", "run_at": start, "end_at": start - DAY, "time_zone": zone or ""}, NOW)
    assert found["end_at"] == f"The end is before the start: give a time after {said}."
