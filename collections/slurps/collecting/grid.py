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
from slurps.collecting.reading.pages import Page, page_of
from slurps.collecting.reading.seats import in_a_seat, looks_long
from slurps.collecting.reading.statements import Brief, Reader
from slurps.collecting.reading.versions import GoneError, version_for
from slurps.collecting.snapshot import in_words, one_look
from slurps.models import Collection, Version

# So many rows are on a page, and so many columns; so much of a value is seen in its cell, and on hover: a row may have
# a million letters, and of those nobody is sent more.
ROWS, COLUMNS = 50, 60
CELL, WHOLE = 60, 2000

GONE = "Version {:,}, in which you were, is not kept any more: a newer one has taken its place."

# The operators of readers, as people say them.
OPERATORS: Mapping[str, str] = {
    "eq": "is", "ne": "is not", "contains": "contains", "startswith": "begins with", "lt": "<", "lte": "≤", "gt": ">",
    "gte": "≥", "in": "is one of", "isnull": "is missing",
}  # fmt: skip

# What PostgreSQL calls the types of JSON, and what a cell of each is.
KINDS: Mapping[str, str] = {
    "string": "text", "number": "number", "boolean": "boolean", "null": "null", "object": "json", "array": "json",
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
    """A page of rows, `before` of them stand before it. `earlier` and `later` are the addresses of those beside it.

    `left` is the version in which the reader was, where that is not kept any more and this one goes on at its place.
    `refused` says why there are no rows, and `again` is where there are some.
    """

    asked: GridAsked
    version: Version | None = None
    columns: list[Column] = field(default_factory=list)
    hidden_columns: int = 0
    rows: list[list[Cell]] = field(default_factory=list)
    before: int = 0
    earlier: str = ""
    later: str = ""
    left: int | None = None
    refused: str = ""
    again: str = ""

    @property
    def first(self) -> int:
        return self.before + 1

    @property
    def last(self) -> int:
        return self.before + len(self.rows)


def grid_of(collection: Collection, asked: GridAsked) -> Grid:
    """The page of rows that is asked for; with a sentence in its place where it is refused, or takes too long."""
    try:
        with one_look(), in_words():
            return _grid(collection, asked)
    except GoneError as gone:
        return Grid(asked, refused=GONE.format(gone.number), again=asked.query(version=""))
    except APIException as error:
        return Grid(asked, refused=first_sentence(error.detail))


def _grid(collection: Collection, asked: GridAsked) -> Grid:
    told = asked.asked()
    mark = cursors.read(asked.cursor, collection=collection.pk) if asked.cursor else None
    query = cursors.query_of(told)
    if mark:
        cursors.ensure_same(mark, query)
    version = version_for(collection, told.version, mark)
    columns = [_column(one, collection, asked) for one in version.known[:COLUMNS]]
    names = [column.name for column in columns]
    reader = Reader(told, collection, version, Brief(names, WHOLE + 1))
    with in_a_seat(collection.application_id, is_long=looks_long(reader, version)):
        page = _page(reader, mark)
    # On the first page it is 0 whatever was counted: rows may have been sorted anew meanwhile.
    before = max(1, asked.before) if page.has_before else 0
    return Grid(
        asked,
        version,
        columns,
        hidden_columns=max(0, len(version.known) - COLUMNS),
        rows=[_brief_cells(json.loads(row.text), names) for row in page.rows],
        before=before,
        earlier=_beside(asked, version, query, page, before, is_back=True) if page.has_before else "",
        later=_beside(asked, version, query, page, before, is_back=False) if page.has_more else "",
        left=mark.version if mark and mark.version != version.number else None,
    )


def _page(reader: Reader, mark: Bookmark | None) -> Page:
    """Who goes back comes to a whole first page, whatever was before them."""
    page = page_of(reader, limit=ROWS, number=None, mark=mark)
    if mark and mark.is_back and len(page.rows) < ROWS:
        page = page_of(reader, limit=ROWS, number=None, mark=None)
    return page


def _beside(  # noqa: PLR0913  what the page is, and on which side
    asked: GridAsked, version: Version, query: str, page: Page, before: int, *, is_back: bool
) -> str:
    """The address of the page before or behind this one; empty where nobody can know it: of no rows."""
    if not page.rows:
        return ""
    place = page.rows[0 if is_back else -1].place
    cursor = cursors.written(Bookmark(version.collection_id, version.number or 0, query, place, is_back))
    return asked.query(cursor=cursor, before=max(0, before - ROWS) if is_back else before + len(page.rows))


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


def _brief_cells(row: Mapping[str, tuple[str, str | None]], names: list[str]) -> list[Cell]:
    """The same of a row as the database cuts it: {column: [type, text]}."""
    found = (row.get(name) for name in names)
    return [_cell(KINDS[one[0]], one[1] or "") if one else Cell("", "", "nothing") for one in found]


def cell_of(value: Any) -> Cell:
    """A value, short, and whole."""
    is_text = isinstance(value, str)
    text = value if is_text else json.dumps(value, ensure_ascii=False)
    kind = "text" if is_text else "json" if isinstance(value, dict | list) else "number"
    kind = "boolean" if isinstance(value, bool) else "null" if value is None else kind
    return _cell(kind, text)


def _cell(kind: str, text: str) -> Cell:
    if kind == "null":
        return Cell("null", "", "null")
    if len(text) <= CELL:
        return Cell(text, "", kind)
    return Cell(f"{text[:CELL]}…", text if len(text) <= WHOLE else f"{text[:WHOLE]}…", kind)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0
