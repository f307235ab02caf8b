"""The rows of a version as a page shows them: a table, with the columns in the order in which they were first seen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from rest_framework.exceptions import APIException

from badgerjobs.web.definitions.filters import words
from badgerjobs.web.serializer_forms import first_sentence
from slurps.collecting.reading import cursors
from slurps.collecting.reading.asking import MOST_WORDS, Asked, Filter
from slurps.collecting.reading.cursors import Bookmark
from slurps.collecting.reading.formats import CALLED
from slurps.collecting.reading.pages import page_of
from slurps.collecting.reading.seats import in_a_seat, looks_long
from slurps.collecting.reading.statements import Reader
from slurps.collecting.reading.versions import version_for
from slurps.collecting.snapshot import in_words, one_look
from slurps.models import Collection, Version

# So many rows are on a page, and so many columns; so much of a value is seen in its cell, and on hover.
ROWS, COLUMNS = 50, 60
CELL, WHOLE = 60, 2000

# The operators of readers, as people say them.
OPERATORS: Mapping[str, str] = {
    "eq": "is", "ne": "is not", "contains": "contains", "startswith": "begins with", "lt": "<", "lte": "≤", "gt": ">",
    "gte": "≥", "in": "is one of", "isnull": "is missing",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GridAsked:
    """What an address asks for: a version, an order, words, and one condition; and where its page begins."""

    version: str = ""
    sort: str = ""
    q: str = ""
    column: str = ""
    op: str = ""
    value: str = ""
    cursor: str = ""
    before: int = 0

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "GridAsked":
        """Take what the address says. What it says wrongly counts as not said."""
        texts = {name: words(given, name) for name in ("sort", "q", "column", "value")}
        version, before = given.get("version", ""), given.get("before", "")
        operator = given.get("op", "")
        return cls(
            version=version if _is_number(version) else "",
            op=operator if operator in OPERATORS else "eq",
            cursor=given.get("cursor", ""),
            before=int(before) if _is_number(before) else 0,
            **texts,
        )

    def query(self, **changes: Any) -> str:
        """`?sort=…&column=…`, with these changes; from the first page on, unless a cursor is among them."""
        changed = replace(self, **{"cursor": "", "before": 0, **changes})
        names = ("version", "sort", "q", "column", "op", "value", "cursor", "before")
        given = {name: str(getattr(changed, name) or "") for name in names}
        if not changed.has_condition:
            given |= {"column": "", "op": "", "value": ""}
        return f"?{urlencode({name: text for name, text in given.items() if text})}"

    @property
    def downloads(self) -> list[tuple[str, str]]:
        """Words and the query of each form in which all these rows are to be had."""
        query = self.query()
        return [(said, f"{query}{'&' if query != '?' else ''}format={form}") for form, said in CALLED.items()]

    @property
    def has_condition(self) -> bool:
        return bool(self.column and (self.value or self.op == "isnull"))

    @property
    def condition(self) -> str:
        """`price ≥ 12`; empty without one."""
        if not self.has_condition:
            return ""
        operator = OPERATORS[self.op]
        return f"{self.column} {operator}" if self.op == "isnull" else f"{self.column} {operator} {self.value}"

    @property
    def is_narrow(self) -> bool:
        return bool(self.q or self.has_condition)

    @property
    def without_words(self) -> str:
        return self.query(q="")

    @property
    def without_condition(self) -> str:
        return self.query(column="", op="eq", value="")

    def asked(self) -> Asked:
        """As readers ask by their addresses."""
        value = "true" if self.op == "isnull" else self.value
        filters = (Filter(self.column, self.op, value, self.column),) if self.has_condition else ()
        return Asked(
            format="json",
            version=int(self.version) if self.version else None,
            limit=ROWS,
            page=None,
            cursor=self.cursor or None,
            with_meta=False,
            sort=self.sort,
            fields=(),
            words=tuple(dict.fromkeys(self.q.split()[:MOST_WORDS])),
            filters=filters,
        )


class Column(NamedTuple):
    """A column: `query` sorts by it, `sorted` is `ascending` or `descending`; `is_number` where it is mostly that."""

    name: str
    query: str
    sorted: str
    is_number: bool
    is_indexed: bool


class Cell(NamedTuple):
    """A value: what is seen of it, and the whole where that is more. `kind`: text, number, json, null or nothing."""

    text: str
    whole: str
    kind: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A page of rows. `later` is the address of the next one; `refused` says why there is none."""

    asked: GridAsked
    version: Version | None = None
    columns: list[Column] = field(default_factory=list)
    hidden_columns: int = 0
    rows: list[list[Cell]] = field(default_factory=list)
    later: str = ""
    refused: str = ""

    @property
    def first(self) -> int:
        return self.asked.before + 1

    @property
    def last(self) -> int:
        return self.asked.before + len(self.rows)


def grid_of(collection: Collection, asked: GridAsked) -> Grid:
    """The page of rows that is asked for; with a sentence in its place where it is refused, or takes too long."""
    try:
        with one_look(), in_words():
            return _grid(collection, asked)
    except APIException as error:
        return Grid(asked, refused=first_sentence(error.detail))


def _grid(collection: Collection, asked: GridAsked) -> Grid:
    told = asked.asked()
    mark = cursors.read(asked.cursor, collection=collection.pk) if asked.cursor else None
    query = cursors.query_of(told)
    if mark:
        cursors.ensure_same(mark, query)
    version = version_for(collection, told.version, mark)
    reader = Reader(told, collection, version)
    with in_a_seat(collection.application_id, is_long=looks_long(reader, version)):
        page = page_of(reader, limit=ROWS, number=None, after=mark.place if mark else None)
    rows = [json.loads(row.text) for row in page.rows]
    columns = [_column(one, collection, asked) for one in version.known[:COLUMNS]]
    later = ""
    if page.has_more:
        bookmark = Bookmark(collection.pk, version.number or 0, query, page.rows[-1].place)
        later = asked.query(cursor=cursors.written(bookmark), before=asked.before + len(rows))
    names = [column.name for column in columns]
    hidden = max(0, len(version.known) - COLUMNS)
    return Grid(asked, version, columns, hidden, [cells(row, names) for row in rows], later)


def _column(column: Mapping[str, Any], collection: Collection, asked: GridAsked) -> Column:
    name, types = str(column["name"]), column["types"]
    ways = {name: "ascending", f"-{name}": "descending"}
    kind = max((one for one in types if one != "null"), key=lambda one: types[one], default="null")
    turned = f"-{name}" if asked.sort == name else name
    return Column(
        name, asked.query(sort=turned), ways.get(asked.sort, ""), kind == "number", name in collection.indexed
    )


def cells(row: Mapping[str, Any], names: list[str]) -> list[Cell]:
    """The values of a row under these names."""
    return [cell_of(row[name]) if name in row else Cell("", "", "nothing") for name in names]


def cell_of(value: Any) -> Cell:
    """A value, short, and whole."""
    if value is None:
        return Cell("null", "", "null")
    is_text = isinstance(value, str)
    text = value if is_text else json.dumps(value, ensure_ascii=False)
    kind = "text" if is_text else "json" if isinstance(value, dict | list) else "number"
    kind = "boolean" if isinstance(value, bool) else kind
    if len(text) <= CELL:
        return Cell(text, "", kind)
    return Cell(f"{text[:CELL]}…", text if len(text) <= WHOLE else f"{text[:WHOLE]}…", kind)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0
