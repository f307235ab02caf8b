"""Counts an application's runs by spans of time, each once: what is over changes no more, and stays in the cache.

Without the cache all is counted anew. Of many who look at once, one counts.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.lib.percentiles import STEP
from badgerjobs.panel.tallies import HOUR, Span, Tally
from badgerjobs.web import remembering

# A run's id is older than its row by the time that its transaction takes: what ended just now may still grow.
GRACE = timedelta(minutes=2)
# What may still change is counted again after a tenth of its age, within these bounds (seconds).
SOONEST_S, LATEST_S = 9.0, 600.0
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
    known, fresh = _recalled(application_id, wanted, now)
    missing = [span for span in wanted if span not in fresh]
    turn = f"tally:{application_id}"
    if missing and remembering.take_turn(turn):
        try:
            known |= _counted(application_id, sorted(missing, reverse=True), now)
        finally:
            remembering.end_turn(turn)
    return known


def _recalled(application_id: int, wanted: Sequence[Span], now: datetime) -> tuple[dict[Span, Tally], set[Span]]:
    """What is known, and which of that is as good as new."""
    keys = {_key(application_id, span): span for span in wanted}
    found = {keys[key]: plain for key, plain in remembering.recall(keys).items()}
    fresh = {span for span, plain in found.items() if plain["until"] is None or now.timestamp() < plain["until"]}
    return {span: Tally.from_plain(plain) for span, plain in found.items()}, fresh


def _counted(application_id: int, spans: Sequence[Span], now: datetime) -> dict[Span, Tally]:
    values: dict[str, Any] = {
        "patience": PATIENCE_S,
        "application": application_id,
        "firsts": [uuid7_floor(span.start) for span in spans],
        "ends": [uuid7_floor(span.end) for span in spans],
    }
    counted: dict[Span, Tally] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        for number, kind, state, late, count in cursor.fetchall():
            tally = counted.setdefault(spans[number - 1], Tally())
            if kind is not None:
                tally.add(kind, state, late, count)
    _remember(application_id, counted, now)
    return counted


def _remember(application_id: int, counted: Mapping[Span, Tally], now: datetime) -> None:
    for length in {span.length for span in counted}:
        plain = {
            _key(application_id, span): tally.as_plain() | {"until": _good_until(span, tally, now)}
            for span, tally in counted.items()
            if span.length == length
        }
        remembering.remember(plain, KEPT_S.get(length, KEPT_YOUNG_S))


def _good_until(span: Span, tally: Tally, now: datetime) -> float | None:
    """Until when (Unix time) a count holds; None: for good."""
    age_s = (now - span.end).total_seconds()
    if age_s >= GRACE.total_seconds() and not tally.unfinished():
        return None
    return now.timestamp() + min(LATEST_S, max(SOONEST_S, age_s / 10))


def _key(application_id: int, span: Span) -> str:
    return f"tally:{application_id}:{span.length // timedelta(minutes=1)}:{int(span.start.timestamp())}"
