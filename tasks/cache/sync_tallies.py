"""How many keys were synced in a span of time and how many failed, all counted; how long and how large, of some.

Counting reads an index and no rows; durations and bytes are those of some syncs from all over the span. So a million
syncs are told within a page's time. Spans can be added up.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.lib.percentiles import STEP, percentile
from badgerjobs.lib.time_bars import DAY, Span
from badgerjobs.web.counted import Count, counted

# What has never been counted is counted newest first; no span is begun after so long.
PATIENCE_S = 0.06
# So many syncs of a span are read, the first ones of each of so many equal parts of it.
SAMPLE, PARTS = 240, 6
# Later than this after a span, none of its keys is tried again.
SETTLED = DAY

# The clock is asked before each span (the number, times nothing, makes it so).
_COUNT = """
SELECT span.n, (SELECT count(*) FROM tasks_keysync
                WHERE application_id = %(application)s AND id >= span.first AND id < span.ends),
       (SELECT count(*) FROM tasks_keysync
        WHERE application_id = %(application)s AND id >= span.first AND id < span.ends AND state = 'failed')
FROM unnest(%(firsts)s::uuid[], %(ends)s::uuid[]) WITH ORDINALITY AS span(first, ends, n)
WHERE clock_timestamp() < statement_timestamp() + interval '1 s' * (%(patience)s + 0 * span.n)
"""

_SAMPLE = f"""
SELECT part.n, s.class, count(*), sum(s.bytes)::bigint
FROM unnest(%(firsts)s::uuid[], %(ends)s::uuid[], %(numbers)s::int[], %(limits)s::int[]) AS part(first, ends, n, most)
CROSS JOIN LATERAL (
    SELECT coalesce(bytes, 0) AS bytes, floor(ln(greatest(1, duration_ms)) / {math.log(STEP)!r})::int AS class
    FROM tasks_keysync WHERE application_id = %(application)s AND id >= part.first AND id < part.ends
    AND duration_ms IS NOT NULL ORDER BY id LIMIT part.most) s
GROUP BY 1, 2
"""  # noqa: S608


@dataclass(slots=True)
class SyncTally:
    """`durations` is class of lib/percentiles → how many, and `bytes` how many too: about, where `is_sampled`."""

    syncs: int = 0
    failed: int = 0
    bytes: int = 0
    durations: Counter[int] = field(default_factory=Counter)
    is_sampled: bool = False

    def took(self, share: float) -> float | None:
        """How long, in milliseconds, this share of the syncs took at the most."""
        return percentile(self.durations, share)

    def as_plain(self) -> dict[str, Any]:
        """Ready for JSON."""
        durations = list(self.durations.items())
        counts = {"syncs": self.syncs, "failed": self.failed, "bytes": self.bytes}
        return {**counts, "durations": durations, "is_sampled": self.is_sampled}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "SyncTally":
        durations = Counter(dict(plain["durations"]))
        return cls(plain["syncs"], plain["failed"], plain["bytes"], durations, plain["is_sampled"])

    @classmethod
    def sum(cls, tallies: Iterable["SyncTally"]) -> "SyncTally":
        total = cls()
        for tally in tallies:
            total.syncs, total.failed = total.syncs + tally.syncs, total.failed + tally.failed
            total.bytes += tally.bytes
            total.durations.update(tally.durations)
            total.is_sampled |= tally.is_sampled
        return total


def sync_tallies(application_id: int, wanted: Sequence[Span], now: datetime) -> dict[Span, SyncTally]:
    """Span → what was counted in it; absent where that takes longer than a page may. Ask again a little later."""
    found = counted(f"synced:{application_id}", wanted, partial(_counted, application_id, now), now=now, kept_s=_kept_s)
    return {span: SyncTally.from_plain(plain) for span, plain in found.items()}


def _kept_s(span: Span) -> int:
    """Longer than any range of such spans reaches back."""
    return 32 * int(span.length.total_seconds())


def _counted(application_id: int, now: datetime, spans: Sequence[Span]) -> dict[Span, Count]:
    values = {"application": application_id, "patience": PATIENCE_S, **_bounds(spans)}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        tallies = {spans[number - 1]: SyncTally(syncs, failed) for number, syncs, failed in cursor.fetchall()}
        _sample(cursor, application_id, {span: tally for span, tally in tallies.items() if tally.syncs})
    return {span: Count(tally.as_plain(), may_change=now - span.end < SETTLED) for span, tally in tallies.items()}


def _sample(cursor: Any, application_id: int, tallies: Mapping[Span, SyncTally]) -> None:
    """Put durations and bytes into the tallies, as if what was read were all of it."""
    spans, numbers, parts, limits = list(tallies), [], [], []
    for number, span in enumerate(spans):
        tallies[span].is_sampled = tallies[span].syncs > SAMPLE
        pieces = PARTS if tallies[span].is_sampled else 1
        parts += [Span(span.start + piece * span.length / pieces, span.length / pieces) for piece in range(pieces)]
        numbers += [number] * pieces
        limits += [SAMPLE // pieces] * pieces
    cursor.execute(_SAMPLE, {"application": application_id, "numbers": numbers, "limits": limits, **_bounds(parts)})
    rows = cursor.fetchall()
    read = Counter[int]()
    for number, _, count, _ in rows:
        read[number] += count
    for number, its_class, count, size in rows:
        tally = tallies[spans[number]]
        stands_for = tally.syncs / read[number]
        tally.durations[its_class] += max(1, round(count * stands_for))
        tally.bytes += round(size * stands_for)


def _bounds(spans: Sequence[Span]) -> dict[str, Any]:
    return {
        "firsts": [uuid7_floor(span.start) for span in spans],
        "ends": [uuid7_floor(span.end) for span in spans],
    }
