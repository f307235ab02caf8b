"""Records out of CSV that comes in pieces, and what its first part tells of how it is written."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

# Of one record, in characters.
LONGEST = 16 * 1024 * 1024
# And lines of it: each takes fifty bytes of memory, however short it is.
MOST_LINES = 1_000_000
DELIMITERS = (",", ";", "\t", "|")

INTEGER, NUMBER, BOOLEAN, TEXT = "integer", "number", "boolean", "text"
TYPES = (INTEGER, NUMBER, BOOLEAN, TEXT)
# Digits that begin with a nought are a code, like a postcode, and no number; longer ones are not exact in JavaScript.
_INTEGER = re.compile(r"[+-]?(?:0|[1-9]\d{0,14})", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:0|[1-9]\d{0,14})(?:\.\d{1,30})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
# With thousands set apart: 1,234.5.
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3}){1,4}(?:\.\d{1,30})?", re.ASCII)
# What stands before the fraction; thousands are set apart by the other one.
DOT, COMMA = MARKS = (".", ",")
# A dot, and nothing sets thousands apart.
PLAIN = "plain"
_TURNED = str.maketrans(".,", ",.")
_BOOLEANS = {"true": True, "false": False}

# A record is bounded, whatever is in it.
csv.field_size_limit(2 * LONGEST)


class CSVFaultError(ValueError):
    """What is no CSV: a clause that says why, and the line on which the record begins."""

    def __init__(self, clause: str, line: int) -> None:
        super().__init__(clause)
        self.clause = clause
        self.line = line


class _MoreNeeded(Exception):  # noqa: N818  no failure: a record goes on
    """The lines that have come end within a record."""


class _Lines:
    """Lines that csv reads: `at` is how many of them it has had, `begun` how many before this record."""

    def __init__(self) -> None:
        self.waiting: list[str] = []
        self.at = self.begun = 0
        self.is_all = False
        # Whether a record went on after the last line there is.
        self.fell_short = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.at == len(self.waiting):
            if self.is_all:
                self.fell_short = self.at > self.begun
                raise StopIteration
            raise _MoreNeeded
        self.at += 1
        return self.waiting[self.at - 1]


class Records:
    """`feed` it pieces, and then `end` it. Empty lines are no records.

    A record is the number of the line on which it begins, and its cells.
    """

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._lines = _Lines()
        self._begun = ""
        self._read = 0
        self._enough = 0

    def feed(self, text: str) -> list[tuple[int, list[str]]]:
        """The records that end in this piece. Raises CSVFaultError."""
        text, self._begun = self._begun + text, ""
        end = len(text) if self._lines.is_all else max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
        self._begun = text[end:]
        if len(self._begun) > LONGEST:
            raise self._too_long()
        self._lines.waiting += io.StringIO(text[:end], newline="")
        # A record that goes on and on is not read anew with each of its lines.
        if len(self._lines.waiting) < self._enough and not self._lines.is_all:
            return []
        return self._records()

    def end(self) -> list[tuple[int, list[str]]]:
        """The same when nothing more comes. Raises CSVFaultError for a quote that is still open, too."""
        self._lines.is_all = True
        return self.feed("")

    def _records(self) -> list[tuple[int, list[str]]]:
        lines, found = self._lines, []
        reader = csv.reader(cast("Any", lines), delimiter=self._delimiter)
        done = lines.at
        try:
            while True:
                lines.begun = done
                cells = next(reader)
                if lines.fell_short:
                    raise CSVFaultError("a quote in it is never closed", self._read + done + 1)
                if cells:
                    found.append((self._read + done + 1, cells))
                done = lines.at
        except (StopIteration, _MoreNeeded):
            pass
        except csv.Error as error:
            raise CSVFaultError(f"{error}", self._read + done + 1) from None
        self._read += done
        lines.waiting, lines.at = lines.waiting[done:], 0
        if len(lines.waiting) > MOST_LINES or sum(map(len, lines.waiting)) > LONGEST:
            raise self._too_long()
        self._enough = len(lines.waiting) * 3 // 2
        return found

    def _too_long(self) -> CSVFaultError:
        clause = (
            f"it is longer than {LONGEST // 1024 // 1024} MB or {MOST_LINES:,} lines, or a quote in it is never closed"
        )
        return CSVFaultError(clause, self._read + 1)


def delimiter_of(start: str) -> str:
    """What stands between the cells of such a beginning: what gives most lines the same number of cells, many at best.

    A comma if nothing does.
    """
    lines = start.splitlines()[:100]
    whole = lines[:-1] if len(lines) > 1 and not start.endswith(("\n", "\r")) else lines

    def score(delimiter: str) -> tuple[float, int]:
        try:
            counts = Counter(len(cells) for cells in csv.reader(whole, delimiter=delimiter) if cells)
        except csv.Error:
            counts = Counter()
        if not counts:
            return 0, 0
        cells, often = counts.most_common(1)[0]
        return (often / counts.total() if cells > 1 else 0), cells

    best = max(DELIMITERS, key=score)
    return best if score(best)[0] else ","


class Column(NamedTuple):
    """What a column's cells are. `mark` is what stands before a fraction in them; empty where none tells.

    `is_ambiguous`: they are numbers in two ways, like 1.234, and none of them says in which.
    """

    kind: str
    mark: str = ""
    is_ambiguous: bool = False


def column_of(cells: Sequence[str], marks: Sequence[str] = MARKS) -> Column:
    """What all of these are that are not empty; text if there are none, and where they could be either of two numbers.

    `marks` are those that may stand before a fraction.
    """
    given = [cell for cell in cells if cell]
    if not given:
        return Column(TEXT)
    if all(_INTEGER.fullmatch(cell) for cell in given):
        return Column(INTEGER)
    mark, is_ambiguous = _mark_of(given, marks)
    if is_ambiguous:
        return Column(TEXT, is_ambiguous=True)
    if mark:
        return Column(NUMBER, mark)
    return Column(BOOLEAN) if all(cell.lower() in _BOOLEANS for cell in given) else Column(TEXT)


def _mark_of(cells: Sequence[str], marks: Sequence[str]) -> tuple[str, bool]:
    """What stands before the fraction in these, empty where they are no numbers; and whether it could be either."""
    found = [mark for mark in marks if all(number(cell, mark) is not None for cell in cells)]
    is_same = all(number(cell, mark) == number(cell, found[0]) for cell in cells for mark in found[1:])
    return (found[0] if found and is_same else ""), not is_same


def integer(cell: str, mark: str = "") -> int | None:
    """None for what is none. Thousands are set apart only where it is known by which `mark`."""
    if _INTEGER.fullmatch(cell):
        return int(cell)
    found = number(cell, mark) if mark else None
    return found if isinstance(found, int) else None


def number(cell: str, mark: str = "") -> int | float | None:
    """The same, for any number; without a fraction it is a whole one. Without a `mark`, what is so in one way."""
    if _INTEGER.fullmatch(cell):
        return int(cell)
    if not mark:
        found = {value for each in MARKS if (value := number(cell, each)) is not None}
        return found.pop() if len(found) == 1 else None
    plain = cell.translate(_TURNED) if mark == COMMA else cell
    if _NUMBER.fullmatch(plain):
        return float(plain)
    if mark == PLAIN or not _GROUPED.fullmatch(plain):
        return None
    digits = plain.replace(",", "")
    return float(digits) if "." in digits else int(digits)


def boolean(cell: str, _: str = "") -> bool | None:
    """The same for true and false, in any case."""
    return _BOOLEANS.get(cell.lower())


READ: Mapping[str, Callable[[str, str], Any]] = {INTEGER: integer, NUMBER: number, BOOLEAN: boolean}
