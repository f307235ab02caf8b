"""Time cut into bars of one length, the last of which is now: what charts over time are drawn with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from badgerjobs.lib import words, zones

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Span(NamedTuple):
    """A stretch of time: from `start`, aware, for so long."""

    start: datetime
    length: timedelta

    @property
    def end(self) -> datetime:
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Range:
    """`bars` stretches of `length`, the last of which is now; a label of the axis for each `labelled` of them."""

    name: str
    short: str
    title: str
    bars: int
    length: timedelta
    labelled: int
    bar_words: str


def floored(moment: datetime, length: timedelta) -> datetime:
    """The beginning of the stretch that a moment is in, where such stretches fill the day, in UTC."""
    midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // length * length


def starts(of: Range, now: datetime, place: tzinfo) -> list[datetime]:
    """When each bar begins, oldest first. Long ones begin where the reader's day does, to the hour."""
    ahead = zones.offset(now, place) // HOUR * HOUR if of.length > HOUR else timedelta()
    last = floored(now + ahead, of.length) - ahead
    return [last - number * of.length for number in reversed(range(of.bars))]


def title(bar: Span, place: tzinfo) -> str:
    """`14:00`, in the reader's zone; with the day where bars are longer than an hour, alone where they are days."""
    if bar.length >= DAY:
        return words.day(bar.start, place)
    clock = words.clock(bar.start, place)
    return f"{words.day(bar.start, place)} {clock}" if bar.length > HOUR else clock


def axis(begins: Sequence[datetime], of: Range, place: tzinfo) -> list[str]:
    """What stands below the first of every few bars: `15:00`; the day instead, where one begins."""
    return [_label(start.astimezone(place), of) for start in begins[:: of.labelled]]


def _label(local: datetime, of: Range) -> str:
    if of.length >= DAY:
        return f"{local:%-d %b}"
    if of.length > HOUR:
        return f"{local:%a} {local:%H:%M}"
    return f"{local:%a}" if (local.hour, local.minute) == (0, 0) else f"{local:%H:%M}"
