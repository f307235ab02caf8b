"""How many runs there were in a span of time, by kind and state, and how late they began. Spans can be added up."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from badgerjobs.lib.percentiles import percentile
from badgerjobs.lib.time_bars import HOUR, Span, floored

FIVE_MINUTES = timedelta(minutes=5)

# Runs that are over; those in any other state may still become one of these.
OVER = ("succeeded", "failed", "aborted", "skipped")


@dataclass(slots=True)
class Tally:
    """`counts` is (kind, state) → how many runs; `late` is class (lib/percentiles) → how many began so late."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    late: Counter[int] = field(default_factory=Counter)

    def add(self, kind: str, state: str, late: int | None, count: int) -> None:
        self.counts[kind, state] += count
        if late is not None:
            self.late[late] += count

    def of(self, *states: str, kind: str | None = None) -> int:
        """How many are in one of these states, of all kinds or of one."""
        return sum(
            count for (its, state), count in self.counts.items() if state in states and (kind is None or its == kind)
        )

    def runs(self, kind: str | None = None) -> int:
        """How many runs there were: occurrences that were skipped are none."""
        return sum(
            count for (its, state), count in self.counts.items() if state != "skipped" and (kind is None or its == kind)
        )

    def unfinished(self) -> int:
        return sum(count for (_, state), count in self.counts.items() if state not in OVER)

    def succeeded_percent(self, kind: str | None = None) -> float | None:
        """Of those that succeeded or failed; None of nothing."""
        good, bad = self.of("succeeded", kind=kind), self.of("failed", kind=kind)
        return 100 * good / (good + bad) if good + bad else None

    def lateness(self, share: float) -> float | None:
        """How late, in milliseconds, this share of the runs began at the most; None of nothing."""
        return percentile(self.late, share)

    def as_plain(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "counts": [[kind, state, count] for (kind, state), count in self.counts.items()],
            "late": [[number, count] for number, count in self.late.items()],
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Tally":
        return cls(
            Counter({(kind, state): count for kind, state, count in plain["counts"]}),
            Counter(dict(plain["late"])),
        )

    @classmethod
    def sum(cls, tallies: Iterable["Tally"]) -> "Tally":
        total = cls()
        for tally in tallies:
            total.counts.update(tally.counts)
            total.late.update(tally.late)
        return total


def spans(start: datetime, end: datetime, now: datetime) -> list[Span]:
    """What to count for the time from `start`, a whole hour or within the last three, to `end` or now: oldest first.

    What is young may still change, so it is counted in small pieces, of which only the last few are counted again.
    """
    found, young = [], floored(now, HOUR) - 2 * HOUR
    while start < min(end, now):
        length = HOUR if start < young and start == floored(start, HOUR) else FIVE_MINUTES
        found.append(Span(start, length))
        start += length
    return found
