"""How far back the overview looks, and the bars it is drawn with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from badgerjobs.lib import time_bars
from badgerjobs.lib.time_bars import HOUR, Range, Span, starts
from badgerjobs.panel.tallies import Tally, spans

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
        """When it began, in the reader's zone."""
        return time_bars.title(Span(self.start, self.end - self.start), place)


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
    """What stands below the first of every few bars."""
    return time_bars.axis([bar.start for bar in drawn], of, place)
