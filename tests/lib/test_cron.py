from datetime import UTC, datetime, timedelta

import pytest

from badgerjobs.lib import cron, zones


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}Z")


def series(expression: str, zone: str, after: str, count: int) -> list[str]:
    found, moment = [], at(after)
    for _ in range(count):
        following = cron.next_after(expression, moment, zones.zone(zone))
        assert following is not None
        assert following > moment
        assert following.tzinfo is UTC
        moment = following
        found.append(f"{following:%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        ("0 8 * * *", "UTC", "2026-01-01T08:00", ["01-02 08:00"]),
        ("0 8 * * *", "UTC", "2026-01-01T07:59:59.999999", ["01-01 08:00"]),
        ("* * * * *", "UTC", "2026-01-01T00:00:30", ["01-01 00:01", "01-01 00:02"]),
        ("15 */3 * * *", "UTC", "2026-01-01T00:15", ["01-01 03:15", "01-01 06:15"]),
        ("0 22 * * MON-FRI", "UTC", "2026-01-02T22:00", ["01-05 22:00"]),
        ("0 9 * * 1#2", "UTC", "2026-01-01T00:00", ["01-12 09:00", "02-09 09:00"]),
        ("0 9 L * *", "UTC", "2026-01-01T00:00", ["01-31 09:00", "02-28 09:00"]),
        ("0 9 LW * *", "UTC", "2026-01-01T00:00", ["01-30 09:00"]),
        ("0 9 * * 5L", "UTC", "2026-01-01T00:00", ["01-30 09:00"]),
        # Debian: day of month and day of week are joined by "or", unless one of them begins with a star.
        ("0 0 13 * FRI", "UTC", "2026-01-01T00:00", ["01-02 00:00", "01-09 00:00", "01-13 00:00"]),
        ("0 0 */13 * FRI", "UTC", "2026-01-01T00:00", ["02-27 00:00", "03-27 00:00"]),
        ("0 8 * * *", "Europe/Zurich", "2026-03-28T00:00", ["03-28 07:00", "03-29 06:00"]),
        ("0 8 * * *", "Asia/Kathmandu", "2026-01-01T00:00", ["01-01 02:15"]),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00", ["02-29 00:00", "02-29 00:00"]),
    ],
)
def test_the_occurrences_of_an_expression(expression: str, zone: str, after: str, expected: list[str]) -> None:
    assert series(expression, zone, after, len(expected)) == expected


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        # Spring in Zurich: 02:00 becomes 03:00 at 01:00 UTC. Fixed times run at the first moment after the gap.
        ("30 2 * * *", "2026-03-28T12:00", ["03-29 01:00", "03-30 00:30"]),
        ("0,30 2 * * *", "2026-03-28T12:00", ["03-29 01:00", "03-30 00:00"]),
        ("0 2,3 * * *", "2026-03-28T12:00", ["03-29 01:00", "03-30 00:00"]),
        ("30 * * * *", "2026-03-28T23:45", ["03-29 00:30", "03-29 01:30"]),
        ("*/20 2 * * *", "2026-03-28T12:00", ["03-30 00:00", "03-30 00:20"]),
        # Autumn: 03:00 becomes 02:00 at 01:00 UTC. Fixed times run once, the others twice.
        ("30 2 * * *", "2026-10-24T12:00", ["10-25 00:30", "10-26 01:30"]),
        ("30 2 * * *", "2026-10-25T01:10", ["10-26 01:30"]),
        ("0,30 2 * * *", "2026-10-24T12:00", ["10-25 00:00", "10-25 00:30", "10-26 01:00"]),
        ("30 * * * *", "2026-10-24T23:45", ["10-25 00:30", "10-25 01:30", "10-25 02:30"]),
        (
            "*/30 2 * * *",
            "2026-10-24T12:00",
            ["10-25 00:00", "10-25 00:30", "10-25 01:00", "10-25 01:30", "10-26 01:00"],
        ),
        # The second pass lies only behind on the wall: the next one there would be a year away.
        ("*/40 2 25 10 *", "2026-10-25T00:40", ["10-25 01:00", "10-25 01:40"]),
    ],
)
def test_the_missing_and_the_doubled_hour(expression: str, after: str, expected: list[str]) -> None:
    assert series(expression, "Europe/Zurich", after, len(expected)) == expected


def test_where_clocks_change_by_half_an_hour_no_occurrence_is_skipped() -> None:
    # Lord Howe on 5 April 2026: 02:00 becomes 01:30, so that 02:00 comes at 15:30 UTC and not before.
    assert series("0 */2 * * *", "Australia/Lord_Howe", "2026-04-04T13:30", 2) == ["04-04 15:30", "04-04 17:30"]


def test_a_day_that_a_zone_skipped_runs_once_when_it_was_over() -> None:
    # Samoa had no 30 December 2011: 29 December ended at 10:00 UTC on the 30th.
    assert series("0 8 * * *", "Pacific/Apia", "2011-12-29T00:00", 3) == ["12-29 18:00", "12-30 10:00", "12-30 18:00"]
    assert series("0 */12 * * *", "Pacific/Apia", "2011-12-29T20:00", 3) == [
        "12-29 22:00",
        "12-30 10:00",
        "12-30 22:00",
    ]


def test_a_moment_given_in_its_second_pass_is_not_taken_for_the_first() -> None:
    zurich = zones.zone("Europe/Zurich")
    first = datetime(2026, 10, 25, 2, 15, tzinfo=zurich)
    second = first.replace(fold=1)
    assert cron.next_after("*/30 * * * *", first, zurich) == at("2026-10-25T00:30")
    assert cron.next_after("*/30 * * * *", second, zurich) == at("2026-10-25T01:30")


def test_past_the_end_of_the_calendar_there_is_nothing() -> None:
    for expression in ("0 8 * * *", "*/5 * * * *", "0 8 1 1 *"):
        assert cron.next_after(expression, datetime.max.replace(tzinfo=UTC), UTC) is None


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("0 0 30 2 *", "never comes"),
        ("0 0 31 2,4,6,9,11 *", "never comes"),
        ("60 * * * *", "minute must be 0-59"),
        ("* 24 * * *", "hour must be 0-23"),
        ("* * 0 * *", "day-of-month must be 1-31"),
        ("* * * 13 *", "month must be 1-12"),
        ("* * * * 8", "day-of-week must be 0-7"),
        ("* * * * MON-SUN", "day-of-week must be"),
        ("*/0 * * * *", "minute must be"),
        ("5-1 * * * *", "minute must be"),
        ("a b c d e", "minute must be"),
        ("* * * *", "five fields"),
        ("", "five fields"),
        ("0 0 * * * *", "cron in seconds"),
        ("* * * * * * *", "five fields"),
        ("@daily", "write 0 0 * * *"),
        ("@REBOOT", "five fields"),
    ],
)
def test_a_wrong_expression_is_refused_with_the_field_and_what_would_be_right(expression: str, part: str) -> None:
    with pytest.raises(cron.BadCronError) as raised:
        cron.parse(expression)
    assert part in str(raised.value)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 8 * * 1", "At 08:00 on Monday"),
        ("*/15 * * * *", "Every 15th minute"),
        ("0 4 * * *", "At 04:00 every day"),
        ("0 9 L * *", "At 09:00 on the last day of every month"),
    ],
)
def test_an_expression_is_said_in_english(expression: str, words: str) -> None:
    assert cron.parse(expression).words().startswith(words)


def test_answers_are_remembered_by_the_minute_and_by_the_zone() -> None:
    zurich, tokyo = zones.zone("Europe/Zurich"), zones.zone("Asia/Tokyo")
    now = at("2026-01-01T00:00:01")
    assert cron.next_after("0 8 * * *", now, zurich) != cron.next_after("0 8 * * *", now, tokyo)
    hits = cron._remembered.cache_info().hits
    cron.next_after("0 8 * * *", now + timedelta(seconds=58), zurich)
    assert cron._remembered.cache_info().hits == hits + 1
