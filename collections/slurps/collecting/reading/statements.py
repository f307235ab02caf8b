"""Statements for what was asked. A page costs what it shows: an index leads to where it begins, and gives the order.

An order is made of parts that follow one another: rows with a value to go by, and those without one. Each of them is
found by an index of its own, and the second is looked at when the first has no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from badgerjobs.web.problems import Invalid
from slurps.collecting.reading.asking import Asked, Filter
from slurps.collecting.reading.comparing import ANY_TYPE, BY_SLOT, condition, meant_by, with_word
from slurps.collecting.reading.fields import Values, at, path_of, text_at
from slurps.models import Collection, Version
from slurps.storing.columns import MOST_COLUMNS, types_of
from slurps.storing.encoding import NAME_LETTERS, SLOT_LETTERS
from slurps.storing.reading import SEEN, bounds_of

# So many values of an indexed field are looked for one by one.
MOST_BRANCHES = 20
# The order of their places, for $sort.
PLACES = "$position"

# So many columns are named to who sorts by another one.
NAMED = 20

NO_COLUMN = "No row has the field “{}”. The columns of this version are {}."

_TYPES = {'"': "text", "t": "boolean", "f": "boolean", "n": "null", "[": "list", "{": "object"}
_CELL_IS_FORMULA = "^[=+@\\t\\r\\n-]"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind this row of this part. `value` is JSON, what the part goes by."""

    part: int
    value: str | None
    position: int


@dataclass(frozen=True, slots=True)
class Part:
    """Rows in one order. Each of the `branches` has rows that no other one has: those between two conditions.

    The first of the two says where the order begins; from a place on, that does. `by` is what rows are ordered by
    before their places; empty for their places alone. `same` is what that is in all rows of each branch, where it is:
    then they are merged by their places. `instead_of` is the filter that the branches stand for.
    """

    branches: Sequence[tuple[str, str]]
    falls: bool
    by: str = ""
    same: Sequence[str] = ()
    instead_of: Filter | None = None

    @property
    def turned(self) -> "Part":
        """The same rows from the last to the first: those of spans begin at the other end."""
        branches = [span[::-1] for span in self.branches] if self.same else self.branches
        return replace(self, branches=branches, falls=not self.falls)


@dataclass(frozen=True, slots=True)
class Brief:
    """Of each row these columns alone, as {column: [type, text]}, and so many letters of each text."""

    columns: Sequence[str]
    letters: int


class Reader:
    """What one address asks of one version; rows are whole, unless they are to be brief."""

    def __init__(self, asked: Asked, collection: Collection, version: Version, brief: Brief | None = None) -> None:
        self._asked, self._collection, self._version, self._brief = asked, collection, version, brief
        self.known = types_of(version.known)
        self._columns = set(self.known)
        self.values = Values(dict(bounds_of(version)))
        self.fields = [(name, path_of(name, self._columns, "$fields")) for name in asked.fields]
        self._conditions = {one: self._condition(one) for one in asked.filters}
        self._words = [with_word(word, self.values) for word in asked.words]
        self.parts = self._parts()

    @property
    def header(self) -> list[str]:
        """The names of what a line of a table has."""
        return [name for name, _ in self.fields] or list(self.known)

    @property
    def looks_through(self) -> bool:
        """Whether it must look at rows that are not shown: no index leads to what is asked for, or gives the order."""
        by_index = [one for one in self._asked.filters if one.operator in BY_SLOT and self._slot_of(one)]
        is_ordered = not any(part.by and not part.by.startswith("r.slot") for part in self.parts)
        return not by_index and (self._asked.narrows or not is_ordered)

    def counting(self) -> str:
        """How many rows there are in all."""
        return f"SELECT count(*) FROM collections_row r WHERE {' AND '.join([SEEN, *self._all_but(None)])}"  # noqa: S608

    def rows(
        self,
        part: int,
        *,
        limit: int | None = None,
        offset: int = 0,
        after: Place | None = None,
        is_back: bool = False,
    ) -> str:
        """Three columns: the row, its place, and what the part goes by, as JSON; in their order, or back from there."""
        one = self.parts[part].turned if is_back else self.parts[part]
        seek = self._seek(one, offset) if offset and after is None else ""
        offset = 0 if seek else offset
        ends = f" LIMIT {limit}" if limit is not None else ""
        ends += f" OFFSET {offset}" if offset else ""
        if len(one.branches) == 1:
            return self._branch(one, 0, after, seek) + ends
        most = f" LIMIT {limit + offset}" if limit is not None else ""
        branches = " UNION ALL ".join(f"({self._branch(one, n, after, seek)}{most})" for n in range(len(one.branches)))
        way = " DESC" if one.falls else ""
        return f"SELECT * FROM ({branches}) AS r (shown, position, value) ORDER BY position{way}{ends}"  # noqa: S608

    def _branch(self, part: Part, number: int, after: Place | None, seek: str) -> str:
        value, way = part.by, " DESC" if part.falls else ""
        conditions = [SEEN, *self._all_but(part.instead_of), *filter(None, [seek])]
        begins, ends = part.branches[number]
        conditions += [self._behind(part, number, after) if after else begins, ends]
        if part.same:  # only such rows are in the index, and PostgreSQL does not conclude it from spans
            conditions.append(f"{value} IS NOT NULL")
        order = f"{value}{way}, r.position{way}" if value else f"r.position{way}"
        shown = f"({value})::text" if value and not part.same else "NULL::text"
        return (
            f"SELECT {self._shown()} AS shown, r.position, {shown} AS value FROM collections_row r"  # noqa: S608
            f" WHERE {' AND '.join(filter(None, conditions))} ORDER BY {order}"
        )

    def _behind(self, part: Part, number: int, after: Place) -> str:
        sign, position = "<" if part.falls else ">", self.values.add(after.position)
        if not part.by:
            return f"r.position {sign} {position}"
        value = part.same[number] if part.same else f"{self.values.add(after.value)}::jsonb"
        return f"({part.by}, r.position) {sign} ({value}, {position})"

    def _seek(self, part: Part, offset: int) -> str:
        """Where no place is empty the n-th row is known by its place; empty where the rows must be counted."""
        version = self._version
        is_full = version.ends_at - version.starts_at == version.rows
        if self._asked.narrows or not is_full or len(self.parts) > 1:
            return ""
        if part.falls:
            return f"r.position < {self.values.add(version.ends_at - offset)}"
        return f"r.position >= {self.values.add(version.starts_at + offset)}"

    def _shown(self) -> str:
        if self._brief:
            return self._in_brief(self._brief)
        if self._asked.format == "csv":
            named = self.fields or [(name, [name]) for name in self.known]
            return f"ARRAY[{', '.join(self._cell(path) for _, path in named)}]::text[]"
        if not self.fields:
            return "r.data"
        pairs = ", ".join(f"({self.values.add(name)}, {at(path, self.values)})" for name, path in self.fields)
        return (
            "(SELECT coalesce(jsonb_object_agg(f.name, f.value), '{}') FROM"  # noqa: S608  all of it parameters
            f" (VALUES {pairs}) AS f (name, value) WHERE f.value IS NOT NULL)"
        )

    def _in_brief(self, brief: Brief) -> str:
        """What is cut here need not be sent; each row is taken apart once, however many columns it has."""
        text = f"left(one.value #>> '{{}}', {self.values.add(brief.letters)})"
        return (
            f"(SELECT coalesce(jsonb_object_agg(one.key, jsonb_build_array(jsonb_typeof(one.value), {text})), '{{}}')"  # noqa: S608
            f" FROM jsonb_each(r.data) AS one WHERE one.key = ANY({self.values.add(list(brief.columns))}::text[]))"
        )

    def _cell(self, path: Sequence[str]) -> str:
        """A value as text; a text that a spreadsheet would take for a formula behind an apostrophe."""
        there, text = at(path, self.values), text_at(path, self.values)
        is_formula = f"jsonb_typeof({there}) = 'string' AND {text} ~ {self.values.add(_CELL_IS_FORMULA)}"
        return f"CASE WHEN {is_formula} THEN '''' || {text} ELSE {text} END"

    def _condition(self, one: Filter) -> str:
        path = path_of(one.name, self._columns, one.parameter)
        return condition(one, path, self.values, slot=self._slot(path), types=self._types_at(path))

    def _slot_of(self, one: Filter) -> str:
        return self._slot(path_of(one.name, self._columns, one.parameter))

    def _slot(self, path: Sequence[str]) -> str:
        """Where a field is indexed; empty where it is not, or not yet in all rows."""
        collection = self._collection
        if len(path) != 1 or path[0] not in collection.indexed or collection.filling is not None:
            return ""
        return f"r.slot{collection.indexed.index(path[0]) + 1}"

    def _parts(self) -> list[Part]:
        sort = self._asked.sort
        name, falls = sort.removeprefix("-"), sort.startswith("-")
        if sort in {"", PLACES, f"-{PLACES}"}:
            return [self._by_value(falls) or Part([("", "")], falls)]
        if not name:
            raise Invalid(**{"$sort": f"Give a field, or -field, or {PLACES}."})
        path = path_of(name, self._columns, "$sort")
        if self._is_unknown(path[0]):
            raise Invalid(**{"$sort": NO_COLUMN.format(name, self._named())})
        if slot := self._slot(path):
            some, none = (
                f"{slot} IS NOT NULL AND {slot} <> 'null'::jsonb",
                f"({slot} IS NULL OR {slot} = 'null'::jsonb)",
            )
            return [Part([("", some)], falls, slot), Part([("", none)], falls=False)]
        value = self._as_in_a_slot(path)
        return [Part([("", f"{value} IS NOT NULL")], falls, value), Part([("", f"{value} IS NULL")], falls=False)]

    def _is_unknown(self, column: str) -> bool:
        """Whether no row has it, as far as columns were noted. What was declared may be missing for once."""
        declared = {*self._collection.indexed, *self._collection.key}
        is_noted = 0 < len(self.known) < MOST_COLUMNS and len(column) <= NAME_LETTERS
        return is_noted and column not in self.known and column not in declared

    def _named(self) -> str:
        more = len(self.known) - NAMED
        return ", ".join(list(self.known)[:NAMED]) + (f" and {more:,} more" if more > 0 else "")

    def _as_in_a_slot(self, path: Sequence[str]) -> str:
        """What an index would have there: of a long text its beginning, which a cursor has room for."""
        there, text = at(path, self.values), text_at(path, self.values)
        cut = f"WHEN 'string' THEN to_jsonb(left({text}, {SLOT_LETTERS}))"
        nothing = " ".join(f"WHEN '{kind}' THEN NULL" for kind in ("object", "array", "null"))
        return f"(CASE jsonb_typeof({there}) {cut} {nothing} ELSE {there} END)"

    def _by_value(self, falls: bool) -> Part | None:
        """One branch for each value of an indexed field that is asked for, in the order of the index.

        A span from a value to itself, and not that value: the database is not led to believe that the order of places
        costs nothing elsewhere, where it would look at a million rows for a hundred.
        """
        for one in self._asked.filters:
            if one.operator not in {"eq", "in"}:
                continue
            path = path_of(one.name, self._columns, one.parameter)
            slot = self._slot(path)
            meant = self._that_may_be(path, meant_by(one))
            if not slot or not meant or len(meant) > MOST_BRANCHES or any(len(one_) >= SLOT_LETTERS for one_ in meant):
                continue
            places = [f"{self.values.add(each)}::jsonb" for each in meant]
            spans = [
                (f"({slot}, r.position) >= ({place}, %(starts_at)s)", f"({slot}, r.position) < ({place}, %(ends_at)s)")
                for place in places
            ]
            branches = [span[::-1] for span in spans] if falls else spans
            return Part(branches, falls, slot, places, one)
        return None

    def _that_may_be(self, path: Sequence[str], meant: Sequence[str]) -> list[str]:
        """Without the values of types that the column never had, and without those that are the same number."""
        types = self._types_at(path)
        alike: dict[object, str] = {}
        for one in meant:
            kind = _TYPES.get(one[0], "number")
            if kind in types:
                alike.setdefault(Decimal(one) if kind == "number" else one, one)
        return list(alike.values())

    def _types_at(self, path: Sequence[str]) -> set[str]:
        """The types that a column had; all, where nobody noted them."""
        if len(path) > 1 or len(self.known) >= MOST_COLUMNS:
            return ANY_TYPE
        return self.known.get(path[0], ANY_TYPE)

    def _all_but(self, stood_for: Filter | None) -> list[str]:
        return [*(said for one, said in self._conditions.items() if one is not stood_for), *self._words]
