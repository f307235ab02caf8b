"""Rows as JSON, as JSON lines, or as CSV: their texts go out as they come from the database."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

from slurps.collecting.reading.asking import Format

TYPES: Mapping[Format, str] = {
    "json": "application/json",
    "jsonl": "application/x-ndjson; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
}
# What people call each.
CALLED: Mapping[Format, str] = {"csv": "CSV", "jsonl": "JSON lines", "json": "JSON"}
# What a spreadsheet would run; the cells themselves are looked at by the database.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")

Texts = Iterable[Sequence[Any]]


def json_list(batches: Texts, _header: Sequence[str] = (), *, before: str = "[", after: str = "]") -> Iterator[str]:
    """A list, between what stands around it."""
    yield before
    sign = ""
    for rows in batches:
        if rows:
            yield sign + ",".join(rows)
            sign = ","
    yield after


def json_lines(batches: Texts, _header: Sequence[str]) -> Iterator[str]:
    """An object on each line."""
    for rows in batches:
        yield "".join([f"{row}\n" for row in rows])


def table(batches: Texts, header: Sequence[str]) -> Iterator[str]:
    """A header, and a line for each row."""
    yield _lines([[f"'{name}" if name.startswith(FORMULAS) else name for name in header]])
    for rows in batches:
        yield _lines(rows)


def _lines(rows: Iterable[Sequence[Any]]) -> str:
    into = StringIO()
    csv.writer(into).writerows(rows)
    return into.getvalue()


FORMATS: Mapping[Format, Callable[[Texts, Sequence[str]], Iterator[str]]] = {
    "json": json_list,
    "jsonl": json_lines,
    "csv": table,
}
