"""What is counted by spans of time, each once: what is over changes no more, and stays in the cache.

Without the cache all is counted anew. Of many who look at once, one counts.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from badgerjobs.lib.time_bars import Span
from badgerjobs.web import remembering

# A row's id is older than the row by the time that its transaction takes: what ended just now may still grow.
GRACE = timedelta(minutes=2)
# What may still change is counted again after a tenth of its age, within these bounds (seconds).
SOONEST_S, LATEST_S = 9.0, 600.0


class Count(NamedTuple):
    """What was counted in a span, plain JSON; whether it may still change, when the span has been over for a while."""

    plain: Any
    may_change: bool


def counted(
    name: str,
    wanted: Sequence[Span],
    count: Callable[[Sequence[Span]], Mapping[Span, Count]],
    *,
    now: datetime,
    kept_s: Callable[[Span], int],
) -> dict[Span, Any]:
    """Span → what `count` gave for it, plain JSON; absent where that takes longer than it may: ask again later.

    `count` is asked for those that are missing or may have changed, newest first, and may leave out the last of them.
    `kept_s` says for how long a span is remembered: longer than anybody looks back with spans of that length.
    """
    known, fresh = _recalled(name, wanted, now)
    missing = [span for span in wanted if span not in fresh]
    if missing and remembering.take_turn(name):
        try:
            found = count(sorted(missing, reverse=True))
            _remember(name, found, now, kept_s)
            known |= {span: one.plain for span, one in found.items()}
        finally:
            remembering.end_turn(name)
    return known


def _recalled(name: str, wanted: Sequence[Span], now: datetime) -> tuple[dict[Span, Any], set[Span]]:
    """What is known, and which of that is as good as new."""
    keys = {key_of(name, span): span for span in wanted}
    found = {keys[key]: kept for key, kept in remembering.recall(keys).items()}
    fresh = {span for span, kept in found.items() if kept["until"] is None or now.timestamp() < kept["until"]}
    return {span: kept["is"] for span, kept in found.items()}, fresh


def _remember(name: str, found: Mapping[Span, Count], now: datetime, kept_s: Callable[[Span], int]) -> None:
    for length in {span.length for span in found}:
        alike = {span: one for span, one in found.items() if span.length == length}
        values = {
            key_of(name, span): {"is": one.plain, "until": _good_until(span, one, now)} for span, one in alike.items()
        }
        remembering.remember(values, kept_s(next(iter(alike))))


def _good_until(span: Span, found: Count, now: datetime) -> float | None:
    """Until when (Unix time) a count holds; None: for good."""
    age_s = (now - span.end).total_seconds()
    if age_s >= GRACE.total_seconds() and not found.may_change:
        return None
    return now.timestamp() + min(LATEST_S, max(SOONEST_S, age_s / 10))


def key_of(name: str, span: Span) -> str:
    """Where a span's count stands in the cache."""
    return f"{name}:{span.length // timedelta(minutes=1)}:{int(span.start.timestamp())}"
