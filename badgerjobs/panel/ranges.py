"""How far back the overview looks, and the bars it is drawn with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from badgerjobs.lib import words, zones
from badgerjobs.panel.tallies import HOUR, Span, Tally, floored, spans


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


RANGES: Mapping[str, Range] = {
    one.name: one
    for one in (
        Range("1h", "1 h", "Last hour", 12, timedelta(minutes=5), 2, "5 minutes"),
        Range("24h", "24 h", "Last 24 hours", 24, HOUR, 3, "hour"),
        Range("7d", "7 d", "Last 7 days", 28, 6 * HOUR, 4, "6 hours"),
    )
}
DEFAULT = RANGES["24h"]


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time and what was counted in it: `tally` is None while nothing has been, `is_whole` when all was."""

    start: datetime
    end: datetime
    tally: Tally | None
    is_whole: bool

    def title(self, place: tzinfo) -> str:
        """`14:00`, in the reader's zone; with the day where bars are longer than an hour."""
        clock = words.clock(self.start, place)
        return f"{words.day(self.start, place)} {clock}" if self.end - self.start > HOUR else clock


def starts(of: Range, now: datetime, place: tzinfo) -> list[datetime]:
    """When each bar begins, oldest first. Long ones begin where the reader's day does, to the hour."""
    ahead = zones.offset(now, place) // HOUR * HOUR if of.length > HOUR else timedelta()
    last = floored(now + ahead, of.length) - ahead
    return [last - number * of.length for number in reversed(range(of.bars))]


def wanted(of: Range, now: datetime, place: tzinfo) -> list[Span]:
    """What has to be counted for the bars."""
    begins = starts(of, now, place)
    return spans(begins[0], begins[-1] + of.length, now)


def bars(of: Range, now: datetime, place: tzinfo, counted: Mapping[Span, Tally]) -> list[Bar]:
    """What was counted, summed up by bar."""
    needed = wanted(of, now, place)
    return [_bar(start, start + of.length, needed, counted) for start in starts(of, now, place)]


def _bar(start: datetime, end: datetime, needed: Sequence[Span], counted: Mapping[Span, Tally]) -> Bar:
    within = [counted.get(span) for span in needed if start <= span.start < end]
    known = [tally for tally in within if tally is not None]
    return Bar(start, end, Tally.sum(known) if known else None, len(known) == len(within))


def axis(drawn: Sequence[Bar], of: Range, place: tzinfo) -> list[str]:
    """What stands below the first of every few bars: `15:00`; the day instead, where one begins."""
    return [_label(bar, of, place) for bar in drawn[:: of.labelled]]


def _label(bar: Bar, of: Range, place: tzinfo) -> str:
    local = bar.start.astimezone(place)
    if of.length > HOUR:
        return f"{local:%a} {local:%H:%M}"
    return f"{local:%a}" if (local.hour, local.minute) == (0, 0) else f"{local:%H:%M}"
