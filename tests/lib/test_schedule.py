from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from badgerjobs.lib.schedule import Schedule, ScheduleError
from badgerjobs.lib.zones import zone

NOW = datetime(2026, 10, 30, 12, 0, 5, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_a_schedule_without_any_time_is_by_hand_only() -> None:
    schedule = Schedule()
    assert schedule.first(NOW) is None
    assert schedule.next_after(NOW) is None
    assert schedule.planned(NOW, 3) == schedule.upcoming(NOW, 3) == []
    assert Schedule(anchor=NOW).first(NOW) is None


@pytest.mark.parametrize("run_at", [NOW - 900 * DAY, NOW - HOUR, NOW, NOW + HOUR])
def test_once_runs_at_its_time_and_at_once_when_that_is_past(run_at: datetime) -> None:
    schedule = Schedule(run_at=run_at)
    assert schedule.first(NOW) == run_at
    assert schedule.planned(NOW, 3) == [run_at]


def test_once_has_nothing_after_its_time() -> None:
    schedule = Schedule(run_at=NOW)
    assert schedule.next_after(NOW - MINUTE) == NOW
    assert schedule.next_after(NOW) is None


def test_a_series_without_run_at_starts_now_and_counts_from_there() -> None:
    schedule = Schedule(run_every="PT1H").anchored(NOW)
    assert schedule.anchor == NOW
    assert schedule.first(NOW) == NOW
    assert schedule.next_after(NOW) == NOW + HOUR
    assert schedule.next_after(NOW + 90 * MINUTE) == NOW + 2 * HOUR


@pytest.mark.parametrize(
    ("ahead", "first"),
    [
        (2 * HOUR, 2 * HOUR),
        (timedelta(), timedelta()),
        (-59 * timedelta(seconds=1), -59 * timedelta(seconds=1)),
        (-MINUTE, -MINUTE),
        (-61 * timedelta(seconds=1), 59 * MINUTE - timedelta(seconds=1)),
        (-HOUR, timedelta()),
        (-30.5 * HOUR, HOUR / 2),
    ],
)
def test_a_series_with_run_at_starts_there_or_with_its_first_occurrence_from_now(
    ahead: timedelta, first: timedelta
) -> None:
    assert Schedule(run_every="PT1H", run_at=NOW + ahead).first(NOW) == NOW + first


def test_run_at_is_the_anchor_when_both_are_given() -> None:
    schedule = Schedule(run_every="P1D", run_at=NOW + HOUR, anchor=NOW).anchored(NOW)
    assert schedule.anchor == NOW + HOUR
    assert schedule.planned(NOW, 2) == [NOW + HOUR, NOW + HOUR + DAY]


def test_a_kept_anchor_is_not_moved_by_asking_again() -> None:
    assert Schedule(run_every="PT1H", anchor=NOW - HOUR).anchored(NOW).anchor == NOW - HOUR


def test_a_series_without_any_anchor_cannot_be_asked_for_the_next() -> None:
    with pytest.raises(ValueError, match="anchor"):
        Schedule(run_every="PT1H").next_after(NOW)


@pytest.mark.parametrize("fields", [{"cron": "0 * * * *"}, {"preset": "hourly"}])
def test_cron_and_presets_start_with_the_first_match_not_before_run_at(fields: dict[str, Any]) -> None:
    at_13, at_15 = (datetime(2026, 10, 30, hour, tzinfo=UTC) for hour in (13, 15))
    assert Schedule(**fields).first(NOW) == at_13
    assert Schedule(**fields, run_at=NOW - DAY).first(NOW) == at_13
    assert Schedule(**fields, run_at=at_15).first(NOW) == at_15
    assert Schedule(**fields, run_at=at_15 - HOUR / 2).first(NOW) == at_15
    assert Schedule(**fields, run_at=at_15).next_after(NOW) == at_15
    assert Schedule(**fields).first(at_13) == at_13


def test_the_next_of_cron_is_strictly_later() -> None:
    at_13 = datetime(2026, 10, 30, 13, tzinfo=UTC)
    assert Schedule(cron="0 * * * *").next_after(at_13) == at_13 + HOUR


def test_upcoming_lists_what_follows_and_planned_begins_with_the_first() -> None:
    schedule = Schedule(run_every="PT1H")
    assert schedule.upcoming(NOW, 2) == [NOW + HOUR, NOW + 2 * HOUR]
    assert schedule.planned(NOW, 2) == [NOW, NOW + HOUR]
    assert schedule.planned(NOW, 0) == []


@pytest.mark.parametrize(
    "rhythm", [{"run_every": "PT1H"}, {"run_every": "P1D"}, {"cron": "5 * * * *"}, {"preset": "hourly"}]
)
def test_nothing_is_later_than_the_end_and_the_end_itself_may_be_the_last(rhythm: dict[str, Any]) -> None:
    endless = Schedule(**rhythm, anchor=NOW)
    third = endless.planned(NOW, 4)[2]
    ended = Schedule(**rhythm, anchor=NOW, end_at=third)
    assert ended.planned(NOW, 9) == endless.planned(NOW, 3)
    assert ended.upcoming(NOW, 9) == [moment for moment in endless.upcoming(NOW, 9) if moment <= third]
    assert ended.next_after(third) is None
    assert ended.next_after(third - MINUTE) == third
    sooner = Schedule(**rhythm, anchor=NOW, end_at=third - timedelta(microseconds=1))
    assert sooner.planned(NOW, 9) == endless.planned(NOW, 2)


@pytest.mark.parametrize("rhythm", [{"run_every": "PT1H"}, {"cron": "5 * * * *"}, {"preset": "hourly"}, {}])
def test_what_ended_before_it_began_has_no_first(rhythm: dict[str, Any]) -> None:
    assert Schedule(**rhythm, run_at=NOW + HOUR, end_at=NOW).first(NOW) is None
    assert Schedule(**rhythm, run_at=NOW + HOUR, end_at=NOW).planned(NOW, 3) == []


def test_a_series_that_has_ended_keeps_its_end_when_it_is_anchored() -> None:
    assert Schedule(run_every="PT1H", end_at=NOW).anchored(NOW).end_at == NOW


def test_the_end_is_told_apart_in_a_doubled_hour() -> None:
    first_pass = datetime(2026, 10, 25, 2, 30, tzinfo=zone("Europe/Zurich"))
    half_hourly: dict[str, Any] = {"cron": "*/30 * * * *", "time_zone": "Europe/Zurich"}
    assert Schedule(**half_hourly, end_at=first_pass).next_after(first_pass) is None
    assert Schedule(**half_hourly, end_at=first_pass.replace(fold=1)).upcoming(first_pass, 9) == [
        datetime(2026, 10, 25, 1, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    ]


def test_moments_come_out_in_utc_whatever_zone_they_went_in() -> None:
    zurich = zone("Europe/Zurich")
    all_fields: list[dict[str, Any]] = [{}, {"run_every": "P1D"}, {"cron": "0 8 * * *"}, {"preset": "daily"}]
    for fields in all_fields:
        schedule = Schedule(run_at=(NOW + HOUR).astimezone(zurich), **fields)
        planned = schedule.planned(NOW.astimezone(zurich), 2)
        assert planned
        assert all(moment.tzinfo is UTC for moment in planned)


def test_in_a_doubled_hour_moments_are_told_apart() -> None:
    zurich = zone("Europe/Zurich")
    first_pass = datetime(2026, 10, 25, 2, 30, tzinfo=zurich)
    schedule = Schedule(run_at=first_pass.replace(fold=1))
    assert schedule.next_after(first_pass) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_moment_without_a_zone_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Schedule(cron="0 8 * * *").next_after(NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        (Schedule(cron="0 8 * * *", time_zone="Gone/Zone"), "time_zone"),
        (Schedule(cron="rubbish"), "cron"),
        (Schedule(run_every="rubbish", anchor=NOW), "run_every"),
    ],
)
def test_stored_fields_that_do_not_hold_any_more_are_named(schedule: Schedule, field: str) -> None:
    with pytest.raises(ScheduleError) as raised:
        schedule.next_after(NOW)
    assert list(raised.value.errors) == [field]


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Schedule(), "by hand only"),
        (Schedule(run_at=NOW), "once, at 2026-10-30 12:00:05 UTC"),
        (Schedule(run_at=NOW, time_zone="Europe/Zurich"), "once, at 2026-10-30 13:00:05 Europe/Zurich"),
        (Schedule(run_every="PT15M"), "every 15 minutes"),
        (
            Schedule(run_every="P1M", anchor=NOW.replace(second=0)),
            "every month, starting 2026-10-30 12:00 UTC",
        ),
        (Schedule(cron="0 8 * * 1", time_zone="Europe/Zurich"), "At 08:00 on Monday, Europe/Zurich"),
        (
            Schedule(cron="0 8 * * 1", run_at=NOW),
            "At 08:00 on Monday, UTC, from 2026-10-30 12:00:05 UTC",
        ),
        (Schedule(preset="daily"), "daily at 08:00 EST (13:00 UTC)"),
        (
            Schedule(run_every="PT15M", anchor=NOW, end_at=NOW + DAY),
            "every 15 minutes, starting 2026-10-30 12:00:05 UTC, until 2026-10-31 12:00:05 UTC",
        ),
        (
            Schedule(cron="0 8 * * 1", time_zone="Europe/Zurich", end_at=NOW.replace(second=0)),
            "At 08:00 on Monday, Europe/Zurich, until 2026-10-30 13:00 Europe/Zurich",
        ),
        (
            Schedule(preset="daily", run_at=NOW, end_at=NOW + DAY),
            "daily at 08:00 EST (13:00 UTC), from 2026-10-30 12:00:05 UTC, until 2026-10-31 12:00:05 UTC",
        ),
    ],
)
def test_a_schedule_says_itself(schedule: Schedule, words: str) -> None:
    assert schedule.words() == words


def test_a_stored_zone_that_does_not_exist_any_more_is_said_and_raises_nothing() -> None:
    words = Schedule(cron="0 8 * * *", time_zone="Gone/Zone", run_at=NOW).words()
    assert words.startswith("not planned: 'Gone/Zone' is not a time zone")
