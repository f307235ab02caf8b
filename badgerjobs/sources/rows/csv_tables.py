"""Rows of CSV: how it is written is found out from its first 64 KB, where nobody says."""

import codecs
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

from rest_framework import serializers

from badgerjobs.lib.csv_texts import (
    COMMA,
    DOT,
    MARKS,
    READ,
    TEXT,
    TYPES,
    Column,
    CSVFaultError,
    Records,
    column_of,
    delimiter_of,
)
from badgerjobs.lib.storable import REPLACED
from badgerjobs.sources.answers import CHARSETS
from badgerjobs.sources.rows.one_call import call_of
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.pulls import Chunk, Pull
from badgerjobs.sources.rows.streams import Body
from badgerjobs.web.serializers import BoundedDictField, OneOfField

# So much is looked at to find out how it is written.
LOOKED_AT = 64 * 1024
MOST_COLUMNS = 5000
DELIMITER_NAMES = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
AUTO, ERROR, FIT = "auto", "error", "fit"
DECIMALS = {AUTO: MARKS, "dot": (DOT,), "comma": (COMMA,)}

RAGGED = (
    "Line {:,} has {:,} cells, and there are {:,} columns. Have ragged lines filled or cut, if that is right "
    "(`ragged`: `fit`)."
)
NO_CSV = "Line {:,} is no CSV: {}."
NO_VALUE = "Line {:,}: what stands in the column “{}” is no {}, as its type says."
TWO_WAYS = " It could be either of two: say what stands before a fraction (`decimal`)."
NO_COLUMN = "The file has no column “{}”, for which a type is given."
NO_ENCODING = "The file is not written in {}: byte {:,} of it cannot be read. Say its encoding."
TOO_MANY = "The file has {:,} columns: {:,} are read at most."


class EncodingField(serializers.CharField):
    """An encoding that Python knows; empty to find it out."""

    def to_internal_value(self, data: Any) -> str:
        """Its usual name. Raises ValidationError for one that is not known."""
        name = super().to_internal_value(data)
        if not name:
            return ""
        try:
            found = codecs.lookup(name).name
        except (LookupError, ValueError):
            found = ""
        if not CHARSETS.match(found):
            raise serializers.ValidationError(f"“{name}” is no encoding that is known: try utf-8 or cp1252.")
        return found


class CSVConfiguration(serializers.Serializer[Any]):
    """How it is written. What is left out is found out from its first 64 KB."""

    delimiter = OneOfField(
        [(AUTO, "As it is found"), *((name, name.capitalize()) for name in DELIMITER_NAMES)],
        default=AUTO,
        help_text="Between cells: comma, semicolon, tab or pipe; auto finds it out.",
    )
    encoding = EncodingField(
        default="", allow_blank=True, max_length=40, help_text="Like utf-8 or cp1252; empty finds it out."
    )
    header = serializers.BooleanField(
        default=True, help_text="Whether the first line has the names of the columns. Else they are column_1, column_2."
    )
    types = BoundedDictField(
        child=OneOfField(TYPES),
        most=MOST_COLUMNS,
        default=dict,
        help_text="Column → integer, number, boolean or text, where it is not to be found out.",
    )
    decimal = OneOfField(
        [(AUTO, "As it is found"), ("dot", "Dot"), ("comma", "Comma")],
        default=AUTO,
        help_text="Before a fraction: dot (1,234.5) or comma (1.234,5); auto finds it out, for each column.",
    )
    ragged = OneOfField(
        [(ERROR, "Fails"), (FIT, "Is filled or cut")],
        default=ERROR,
        help_text="What becomes of a line with more or fewer cells than columns: error, or fit fills it with null or "
        "cuts it.",
    )


class CSVPull(Pull):
    """The records of one table."""

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """See `Pull`."""
        async with self.body() as stream:
            encoding = await self._encoding(stream)
            self.found["encoding"] = encoding
            try:
                async with aclosing(self._read(stream, encoding)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except UnicodeDecodeError as error:
                said = NO_ENCODING.format(encoding, error.start + 1)
                raise PullError("encoding", said, retry=False) from None

    def body(self) -> AbstractAsyncContextManager[Body]:
        """What the table is in. Raises PullError."""
        return self.opened(call_of(self))

    async def _encoding(self, stream: Body) -> str:
        if self.configuration["encoding"]:
            return str(self.configuration["encoding"])
        begun = await stream.start(LOOKED_AT)
        found = stream.encoding_of(begun)
        return "cp1252" if found == "utf-8" and not _may_be_utf8(begun) else found

    async def _read(self, stream: Body, encoding: str) -> AsyncGenerator[Chunk, None]:
        table: Table | None = None
        begun: list[str] = []
        length = 0
        errors = "strict" if encoding != "cp1252" else "replace"
        async with aclosing(stream.texts(encoding, errors)) as texts:
            async for text in texts:
                if table is None:
                    begun.append(text)
                    length += len(text)
                    if length < LOOKED_AT:
                        continue
                    table = self._table("".join(begun))
                    yield table.feed("".join(begun))
                else:
                    yield table.feed(text)
        if table is None:
            table = self._table("".join(begun), is_all=True)
            yield table.feed("".join(begun))
        yield table.end()

    def _table(self, start: str, *, is_all: bool = False) -> "Table":
        given = self.configuration["delimiter"]
        delimiter = DELIMITER_NAMES.get(given) or delimiter_of(start)
        table = Table(self.configuration, delimiter, start if is_all else start[:LOOKED_AT], is_all=is_all)
        self.found |= {"delimiter": delimiter, "types": dict(zip(table.names, table.types, strict=True)), **table.found}
        return table


class Table:
    """Records as objects: names, types, and what is done with lines that do not fit."""

    def __init__(self, configuration: Any, delimiter: str, start: str, *, is_all: bool) -> None:
        self._records = Records(delimiter)
        self._fits = configuration["ragged"] == FIT
        self._has_header = configuration["header"]
        self.names: list[str] = []
        sample = self._sample(delimiter, start, is_all=is_all)
        columns = self._columns(configuration, sample, has_commas=delimiter == COMMA)
        self.types = [column.kind for column in columns]
        self.found = _found(self.names, columns)
        self._set = {self.names.index(name) for name in configuration["types"]} if self.names else set()
        self._typed: list[tuple[int, Column, Callable[[str, str], Any]]] = [
            (place, column, READ[column.kind]) for place, column in enumerate(columns) if column.kind != TEXT
        ]
        self._is_begun = False

    def feed(self, text: str) -> Chunk:
        """The rows that end in this piece. Raises PullError."""
        clean = text.replace("\0", REPLACED) if "\0" in text else text
        return self._rows(lambda: self._records.feed(clean)), len(text)

    def end(self) -> Chunk:
        """The same when nothing more comes."""
        return self._rows(self._records.end), 0

    def _sample(self, delimiter: str, start: str, *, is_all: bool) -> list[list[str]]:
        """What is looked at to find out the types; the names are set from it."""
        records = Records(delimiter)
        try:
            found = records.feed(start)
            if is_all or not found:  # a first line as long as that has the names all the same
                found += records.end()
        except CSVFaultError as fault:
            raise PullError("csv", NO_CSV.format(fault.line, fault.clause), retry=False) from None
        if not found:
            return []
        first = found[0][1]
        if len(first) > MOST_COLUMNS:
            raise PullError("csv", TOO_MANY.format(len(first), MOST_COLUMNS), retry=False)
        self.names = names_of(first if self._has_header else [""] * len(first))
        return [cells for _, cells in found[1 if self._has_header else 0 :]]

    def _columns(self, configuration: Any, sample: Sequence[Sequence[str]], *, has_commas: bool) -> list[Column]:
        given, marks = configuration["types"], DECIMALS[configuration["decimal"]]
        if self.names and (strange := next((name for name in given if name not in self.names), None)):
            raise PullError("csv", NO_COLUMN.format(strange), retry=False)
        columns: list[Column] = []
        for place, name in enumerate(self.names):
            found = column_of([cells[place] for cells in sample if len(cells) > place], marks)
            if has_commas and len(marks) > 1 and found.mark == COMMA:
                found = Column(TEXT, is_ambiguous=True)  # in a cell of such a table, 1,5 may as well be two numbers
            mark = found.mark or (marks[0] if len(marks) == 1 else "")
            columns.append(Column(given[name], mark) if name in given else found)
        return columns

    def _rows(self, read: Callable[[], list[tuple[int, list[str]]]]) -> list[Any]:
        try:
            records = read()
        except CSVFaultError as fault:
            raise PullError("csv", NO_CSV.format(fault.line, fault.clause), retry=False) from None
        if records and not self._is_begun:
            self._is_begun = True
            records = records[1:] if self._has_header else records
        names, count, typed = self.names, len(self.names), self._typed
        rows: list[Any] = []
        for line, cells in records:
            if len(cells) != count:
                self._fit(line, cells, count)
            row: dict[str, Any] = dict(zip(names, cells, strict=True))
            for place, column, reader in typed:
                cell = cells[place]
                row[names[place]] = reader(cell, column.mark) if cell else None
                if cell and row[names[place]] is None:
                    row[names[place]] = self._unlike(line, place, column, cell)
            rows.append(row)
        return rows

    def _fit(self, line: int, cells: list[Any], count: int) -> None:
        if not self._fits:
            raise PullError("csv", RAGGED.format(line, len(cells), count), retry=False)
        del cells[count:]
        cells += [None] * (count - len(cells))

    def _unlike(self, line: int, place: int, column: Column, cell: str) -> str:
        """What is not of its column's type stays a text, where that was found out."""
        if place in self._set:
            said = NO_VALUE.format(line, self.names[place], column.kind)
            raise PullError("csv", said + (TWO_WAYS if column_of([cell]).is_ambiguous else ""), retry=False)
        return cell


def _found(names: Sequence[str], columns: Sequence[Column]) -> dict[str, Any]:
    """What there is to say of fractions: which columns have them, and which could be either of two numbers."""
    decimals = {name: column.mark for name, column in zip(names, columns, strict=True) if column.mark}
    ambiguous = [name for name, column in zip(names, columns, strict=True) if column.is_ambiguous]
    return {
        **({"decimal": decimals} if COMMA in decimals.values() else {}),
        **({"ambiguous": ambiguous} if ambiguous else {}),
    }


def names_of(cells: Sequence[str]) -> list[str]:
    """The names of columns, each once: `name`, `name_2`; where there is none, `column_3`."""
    names: list[str] = []
    counts: Counter[str] = Counter()
    for place, cell in enumerate(cells, start=1):
        name = plain = cell.strip() or f"column_{place}"
        while name in counts:
            counts[plain] += 1
            name = f"{plain}_{counts[plain]}"
        counts[name] += 1
        names.append(name.replace("\0", REPLACED))
    return names


def _may_be_utf8(begun: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(begun)
    except UnicodeDecodeError:
        return False
    return True
