from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from badgerjobs.lib import durations, intervals, zones


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}Z")


def series(every: str, zone: str, anchor: datetime, after: datetime, count: int) -> list[datetime]:
    found = []
    for _ in range(count):
        following = intervals.next_after(after, anchor=anchor, every=durations.parse(every), place=zones.zone(zone))
        assert following is not None
        found.append(after := following)
    return found


@pytest.mark.parametrize(
    ("every", "zone", "anchor", "expected"),
    [
        ("PT15M", "UTC", "2026-01-01T00:00", ["01-01 00:15", "01-01 00:30"]),
        ("P1M", "UTC", "2026-01-31T08:00", ["02-28 08:00", "03-31 08:00", "04-30 08:00", "05-31 08:00"]),
        ("P1M", "UTC", "2028-01-31T08:00", ["02-29 08:00", "03-31 08:00"]),
        ("P3M", "UTC", "2026-11-30T08:00", ["02-28 08:00", "05-30 08:00", "08-30 08:00"]),
        ("P1Y", "UTC", "2024-02-29T08:00", ["02-28 08:00", "02-28 08:00", "02-28 08:00", "02-29 08:00"]),
        ("P1M1D", "UTC", "2026-01-30T00:00", ["03-01 00:00", "04-01 00:00", "05-03 00:00"]),
        # Zurich, 29 March: 02:00 becomes 03:00; 25 October: 03:00 becomes 02:00.
        ("P1D", "Europe/Zurich", "2026-03-28T07:00", ["03-29 06:00", "03-30 06:00"]),
        ("PT24H", "Europe/Zurich", "2026-03-28T07:00", ["03-29 07:00", "03-30 07:00"]),
        ("P1W", "Europe/Zurich", "2026-03-24T07:00", ["03-31 06:00"]),
        ("P1D", "Europe/Zurich", "2026-03-28T01:30", ["03-29 01:30", "03-30 00:30"]),
        ("P1D", "Europe/Zurich", "2026-10-24T00:30", ["10-25 00:30", "10-26 01:30"]),
        ("P1DT12H", "Europe/Zurich", "2026-03-27T12:00", ["03-29 00:00", "03-30 11:00"]),
        ("P1M", "America/New_York", "2026-01-31T13:00", ["02-28 13:00", "03-31 12:00"]),
    ],
)
def test_a_series_counts_from_its_anchor(every: str, zone: str, anchor: str, expected: list[str]) -> None:
    found = series(every, zone, at(anchor), at(anchor), len(expected))
    assert [f"{moment:%m-%d %H:%M}" for moment in found] == expected


@pytest.mark.parametrize("every", ["PT1H", "P1D", "P1M"])
def test_nothing_comes_before_the_anchor(every: str) -> None:
    anchor = at("2026-01-31T08:00")
    assert series(every, "Europe/Zurich", anchor, anchor - timedelta(days=400), 1) == [anchor]
    assert series(every, "Europe/Zurich", anchor, anchor - timedelta(microseconds=1), 1) == [anchor]


def test_an_anchor_in_the_second_pass_of_a_doubled_hour_stays_where_it_is() -> None:
    anchor = at("2026-10-25T01:30")
    before = anchor - timedelta(hours=2)
    assert series("P1D", "Europe/Zurich", anchor, before, 2) == [anchor, at("2026-10-26T01:30")]
    place = zones.zone("Europe/Zurich")
    assert intervals.nth(0, anchor=anchor, every=durations.parse("P1D"), place=place) == anchor


def test_a_day_that_a_zone_skipped_is_not_run_twice() -> None:
    anchor = at("2011-12-28T18:00")  # 08:00 in Samoa, which had no 30 December
    found = series("P1D", "Pacific/Apia", anchor, anchor, 3)
    assert [f"{moment:%d %H}" for moment in found] == ["29 18", "30 18", "31 18"]


def test_a_series_does_not_drift() -> None:
    anchor = at("2020-01-01T00:00:00.123457")
    (found,) = series("PT1.1S", "UTC", anchor, at("2026-01-01T00:00"), 1)
    assert (found - anchor) % timedelta(seconds=1.1) == timedelta()


@pytest.mark.parametrize("every", ["PT1S", "P1D", "P1M", "P1MT1S", "P10Y"])
def test_years_after_the_anchor_the_next_is_found_without_walking(every: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    nth = intervals.nth

    def counted(count: int, **given: Any) -> datetime:
        calls.append(count)
        return nth(count, **given)

    monkeypatch.setattr(intervals, "nth", counted)
    series(every, "Europe/Zurich", at("1970-01-31T23:59:59"), at("2069-12-31T00:00"), 1)
    assert len(calls) <= 5


@pytest.mark.parametrize("every", ["PT1S", "P1D", "P10Y"])
def test_past_the_end_of_the_calendar_there_is_nothing(every: str) -> None:
    duration, end = durations.parse(every), datetime.max.replace(tzinfo=UTC)
    assert intervals.next_after(end, anchor=at("2026-01-01T00:00"), every=duration, place=UTC) is None


@settings(max_examples=150, deadline=None)
@given(
    every=st.sampled_from(["PT1S", "PT7M", "P1D", "P1DT1S", "P1W", "P1M", "P1M3D", "P1Y", "P13MT5H"]),
    zone=st.sampled_from(["UTC", "Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]),
    anchor=st.datetimes(datetime(2015, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    ahead=st.timedeltas(timedelta(), timedelta(days=4000)),
)
def test_the_next_is_later_and_nothing_lies_between(every: str, zone: str, anchor: datetime, ahead: timedelta) -> None:
    duration, place, moment = durations.parse(every), zones.zone(zone), anchor + ahead
    following = intervals.next_after(moment, anchor=anchor, every=duration, place=place)
    assert following is not None
    assert following > moment
    near = int((moment - anchor) / duration.average)
    counts = range(max(0, near - 3), near + 5)
    moments = [intervals.nth(count, anchor=anchor, every=duration, place=place) for count in counts]
    assert all(earlier < later for earlier, later in pairwise(moments))
    assert following == min(one for one in moments if one > moment)
