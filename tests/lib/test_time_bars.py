"""Time cut into bars: where they begin, and what is written on them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from badgerjobs.lib import time_bars
from badgerjobs.lib.time_bars import DAY, HOUR, Range, Span

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 2, 3, 30, tzinfo=UTC)  # a Monday; still Sunday in New York


def of(length: timedelta, bars: int = 3) -> Range:
    return Range("it", "it", "It", bars, length, 2, "it")


@pytest.mark.parametrize(
    ("length", "place", "begins"),
    [
        (HOUR, UTC, ["2026-03-02 01:00", "2026-03-02 02:00", "2026-03-02 03:00"]),
        (HOUR, NEW_YORK, ["2026-03-02 01:00", "2026-03-02 02:00", "2026-03-02 03:00"]),
        (DAY, UTC, ["2026-02-28 00:00", "2026-03-01 00:00", "2026-03-02 00:00"]),
        (DAY, NEW_YORK, ["2026-02-27 05:00", "2026-02-28 05:00", "2026-03-01 05:00"]),
    ],
    ids=["hours", "hours elsewhere", "days", "days elsewhere"],
)
def test_long_bars_begin_where_the_readers_day_does(length: timedelta, place: ZoneInfo, begins: list[str]) -> None:
    assert [f"{start:%Y-%m-%d %H:%M}" for start in time_bars.starts(of(length), NOW, place)] == begins


@pytest.mark.parametrize(
    ("length", "title"),
    [(HOUR, "00:00"), (6 * HOUR, "Sun 1 Mar 00:00"), (DAY, "Sun 1 Mar")],
    ids=["hour", "hours", "day"],
)
def test_a_bar_is_called_by_its_beginning_with_the_day_where_it_is_long(length: timedelta, title: str) -> None:
    assert time_bars.title(Span(datetime(2026, 3, 1, 5, tzinfo=UTC), length), NEW_YORK) == title


@pytest.mark.parametrize(
    ("length", "labels"),
    [(HOUR, ["23:00", "01:00"]), (2 * HOUR, ["Sun 21:00", "Mon 01:00"]), (DAY, ["28 Feb", "2 Mar"])],
    ids=["hours", "longer", "days"],
)
def test_every_few_bars_have_a_label(length: timedelta, labels: list[str]) -> None:
    last = datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert time_bars.axis([last - 2 * length, last - length, last], of(length), UTC) == labels


def test_an_hour_that_begins_a_day_is_labelled_with_the_day() -> None:
    assert time_bars.axis([datetime(2026, 3, 2, tzinfo=UTC)], of(HOUR), UTC) == ["Mon"]
