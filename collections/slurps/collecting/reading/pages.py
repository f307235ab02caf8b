"""The rows of a page, and all rows, as the database hands them over."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from rest_framework.exceptions import APIException

from slurps.collecting.reading.asking import Asked
from slurps.collecting.reading.cursors import Bookmark
from slurps.collecting.reading.statements import Place, Reader
from slurps.collecting.snapshot import asked as answer_of
from slurps.collecting.snapshot import in_batches
from slurps.models import Version

# Bytes that a page may have, and that are fetched at once of what is streamed.
MOST_BYTES = 32 * 1024 * 1024
FETCHED_BYTES = 2 * 1024 * 1024

TOO_LARGE = f"These rows have more than {MOST_BYTES:,} bytes together: ask for fewer at once, by $limit or by $fields."


class TooLargeError(APIException):
    """A page that is more than one answer may have."""

    status_code = 422
    default_detail = TOO_LARGE


class Shown(NamedTuple):
    """A row: its text, or its cells, and where the next one begins."""

    text: Any
    place: Place


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and whether there are more behind and before them."""

    rows: list[Shown]
    has_more: bool
    has_before: bool


def page_of(reader: Reader, *, limit: int, number: int | None, mark: Bookmark | None) -> Page:
    """A page by its number, or by the row before it or behind it. Raises TooLongError and TooLargeError."""
    if mark and mark.is_back:
        rows = _back(reader, limit, mark.place)
        return Page(rows[:limit][::-1], has_more=bool(rows), has_before=len(rows) > limit)
    rows = _forward(reader, limit, number, mark.place if mark else None)
    return Page(rows[:limit], len(rows) > limit, has_before=mark is not None or (number or 1) > 1)


def _forward(reader: Reader, limit: int, number: int | None, after: Place | None) -> list[Shown]:
    """So many rows and, where there are more, one of them."""
    rows: list[Shown] = []
    skipped = (number - 1) * limit if number else 0
    size = 0
    for part in range(after.part if after else 0, len(reader.parts)):
        begins = after if after and after.part == part else None
        statement = reader.rows(part, limit=limit + 1 - len(rows), offset=skipped, after=begins)
        rows += _bounded(_shown(reader, part, statement), size)
        size = sum(_length(row.text) for row in rows)
        if len(rows) > limit:
            break
        if part + 1 < len(reader.parts):
            skipped = 0 if rows or not skipped else skipped - _count(reader, part)
    return rows


def _back(reader: Reader, limit: int, place: Place) -> list[Shown]:
    """The rows before that one, from there on: so many and, where there are more, one of them."""
    rows: list[Shown] = []
    for part in range(place.part, -1, -1):
        begins = place if place.part == part else None
        statement = reader.rows(part, limit=limit + 1 - len(rows), after=begins, is_back=True)
        rows += _bounded(_shown(reader, part, statement), sum(_length(row.text) for row in rows))
        if len(rows) > limit:
            break
    return rows


def _bounded(rows: Iterator[Shown], size: int) -> Iterator[Shown]:
    """As long as a page has room, of which so much is taken. Raises TooLargeError."""
    for row in rows:
        size += _length(row.text)
        if size > MOST_BYTES:
            raise TooLargeError
        yield row


def all_of(reader: Reader, version: Version) -> Iterator[list[Any]]:
    """The texts of all rows, some at a time."""
    batch = at_once(version)
    for part in range(len(reader.parts)):
        for found in in_batches(reader.rows(part), reader.values.given, batch=batch):
            yield [text for text, _, _ in found]


def at_once(version: Version) -> int:
    """How many rows are fetched at once: fewer, where they are long."""
    each = version.bytes / version.written if version.written else 1000
    return int(max(20, min(2000, FETCHED_BYTES / max(each, 1))))


def count_of(reader: Reader, asked: Asked, version: Version) -> int:
    """How many rows there are on all pages."""
    if not asked.narrows:
        return version.rows
    [(count,)] = answer_of(reader.counting(), reader.values.given)
    return int(count)


def _shown(reader: Reader, part: int, statement: str) -> Iterator[Shown]:
    for batch in in_batches(statement, reader.values.given, batch=200):
        for text, position, value in batch:
            yield Shown(text, Place(part, value, position))


def _count(reader: Reader, part: int) -> int:
    [(count,)] = answer_of(f"SELECT count(*) FROM ({reader.rows(part)}) AS counted", reader.values.given)  # noqa: S608
    return int(count)


def _length(text: Any) -> int:
    return len(text) if isinstance(text, str) else sum(len(cell) for cell in text if cell)
