"""Counts an application's runs by spans of time, each once (`web/counted.py`)."""

import math
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.lib.percentiles import STEP
from badgerjobs.lib.time_bars import HOUR, Span
from badgerjobs.panel.tallies import Tally
from badgerjobs.web.counted import Count, counted

# How long counts are kept (seconds): longer than any page looks back with spans of that length.
KEPT_S = {HOUR: 8 * 24 * 3600}
KEPT_YOUNG_S = 4 * 3600
# What has never been counted is counted newest first; no span is begun after so long.
PATIENCE_S = 1.5

# A run belongs to the span in which its id was made: the index finds exactly these, and steps over nothing. Spans are
# taken in their order, and the clock is asked before each (the number, times nothing, makes it so): every span that was
# begun has a row at least. One that was skipped stands for several occurrences.
_COUNT = f"""
SELECT span.n, r.kind, r.state, r.late, sum(coalesce(r.skipped_count, 1))::bigint
FROM unnest(%(firsts)s::uuid[], %(ends)s::uuid[]) WITH ORDINALITY AS span(first, ends, n) LEFT JOIN LATERAL (
    SELECT kind, state, skipped_count, CASE WHEN attempts <= 1 AND started_at IS NOT NULL THEN
        floor(ln(greatest(1, extract(epoch FROM started_at - due_at) * 1000)) / {math.log(STEP)!r})::int END AS late
    FROM runs_run WHERE application_id = %(application)s AND id >= span.first AND id < span.ends) r ON true
WHERE clock_timestamp() < statement_timestamp() + interval '1 s' * (%(patience)s + 0 * span.n)
GROUP BY 1, 2, 3, 4
"""  # noqa: S608


def tallies(application_id: int, wanted: Sequence[Span], now: datetime) -> dict[Span, Tally]:
    """Span → what was counted in it; absent where that takes longer than a page may. Ask again a little later."""
    found = counted(f"tally:{application_id}", wanted, partial(_counted, application_id), now=now, kept_s=_kept_s)
    return {span: Tally.from_plain(plain) for span, plain in found.items()}


def _kept_s(span: Span) -> int:
    return KEPT_S.get(span.length, KEPT_YOUNG_S)


def _counted(application_id: int, spans: Sequence[Span]) -> dict[Span, Count]:
    values: dict[str, Any] = {
        "patience": PATIENCE_S,
        "application": application_id,
        "firsts": [uuid7_floor(span.start) for span in spans],
        "ends": [uuid7_floor(span.end) for span in spans],
    }
    found: dict[Span, Tally] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        for number, kind, state, late, count in cursor.fetchall():
            tally = found.setdefault(spans[number - 1], Tally())
            if kind is not None:
                tally.add(kind, state, late, count)
    return {span: Count(tally.as_plain(), may_change=bool(tally.unfinished())) for span, tally in found.items()}
