"""Trying the rows of a source: the first few, with as few calls as they take."""

import json
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from badgerjobs.lib.storable import ROW_BYTES
from badgerjobs.outbound.calls import Answer
from badgerjobs.sources.fetch import Attempt
from badgerjobs.sources.means import Means
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.rows.columns import columns_of
from badgerjobs.sources.rows.pages import NONE
from badgerjobs.sources.rows.pulling import Given, PullError, Pulling, pull
from badgerjobs.sources.rows.pulls import Pull
from badgerjobs.sources.types import type_of

# So many rows are shown, if they are not longer than this together, and one of them at least.
SHOWN_ROWS, SHOWN_BYTES = 20, 64 * 1024
# So much of an answer is kept to be shown.
KEEPS = 64 * 1024
TOO_LONG = "This row is longer than {} KB."
UNSTORABLE = (
    "Row {:,} has {:,} bytes as JSON, and a collection can store at most {:,}: a run that stores it as it comes fails. "
    "Let the slurper shorten it."
)
FIRST_ONLY = "Only the first {} looked at: a run may find something wrong behind that, like pages that never end."
# What says that somebody wants rows of a source that has a value too.
SAY_ROWS = ("rows", "cursor_path", "remember")


@dataclass(frozen=True, slots=True)
class RowsTried:
    """The first `rows`, what `columns` those have that were read, and what was `found` out about how it is written."""

    rows: list[Any]
    columns: list[dict[str, Any]]
    found: Mapping[str, Any]
    answer: Answer | None = None
    error: PullError | None = None
    warnings: Sequence[str] = ()


def gives_rows(source: DataSource, given: Mapping[str, Any]) -> bool:
    """Whether with this configuration its rows are tried, and not its value."""
    says_so = given.get("pages", NONE) != NONE or any(given.get(name) for name in SAY_ROWS)
    return type_of(source.type).prepare is None or says_so


async def tried_rows(source: DataSource, values: Mapping[str, Any], means: Means, now: datetime) -> RowsTried:
    """The first rows. Never raises for what the source does."""
    pulling: Pulling | None = None
    try:
        pulling = pull(source, Given(now, values), means)
        if isinstance(pulling, Pull):
            pulling.keeps = KEEPS
            pulling.enough = SHOWN_ROWS
        try:
            rows, is_all = await _first(pulling)
        finally:
            await pulling.settle(kept=False)
    except PullError as error:
        answer = error.answer or getattr(pulling, "answer", None)
        return RowsTried([], [], pulling.found if pulling else {}, answer, error)
    return RowsTried(
        shown_of(rows),
        columns_of(rows),
        pulling.found,
        getattr(pulling, "answer", None),
        warnings=[*_unstorable(rows), *([] if is_all else [FIRST_ONLY.format(_were(len(rows)))])],
    )


def rows_in(came: Attempt) -> RowsTried | None:
    """Those of a value that is a list, as it came; None for any other."""
    if came.reading is None or not isinstance(came.reading.value, list):
        return None
    rows = came.reading.value
    return RowsTried(shown_of(rows), columns_of(rows[:1000]), {}, warnings=_unstorable(rows))


def shown_of(rows: list[Any]) -> list[Any]:
    """As many of the first as may be shown. In the place of the very first one there is a sentence, if it is long."""
    shown: list[Any] = []
    room = SHOWN_BYTES
    for row in rows[:SHOWN_ROWS]:
        room -= len(json.dumps(row, ensure_ascii=False))
        if room < 0:
            break
        shown.append(row)
    return shown or [TOO_LONG.format(SHOWN_BYTES // 1024) for _ in rows[:1]]


def _unstorable(rows: Sequence[Any]) -> list[str]:
    """Of the first row that no run could store as it comes."""
    for place, row in enumerate(rows, 1):
        length = len(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))
        if length > ROW_BYTES:
            return [UNSTORABLE.format(place, length, ROW_BYTES)]
    return []


def _were(count: int) -> str:
    return "row was" if count == 1 else f"{count:,} rows were"


async def _first(pulling: Pulling) -> tuple[list[Any], bool]:
    """The first rows, and whether there were no more."""
    found: list[Any] = []
    if isinstance(pulling, Pull):
        async with aclosing(pulling.chunks()) as chunks:
            async for rows, _ in chunks:
                found += rows
                if len(found) >= SHOWN_ROWS:
                    return found, False
        return found, True
    async with aclosing(pulling.batches()) as batches:
        async for batch in batches:
            found += batch
            if len(found) >= SHOWN_ROWS:
                return found, False
    return found, True
