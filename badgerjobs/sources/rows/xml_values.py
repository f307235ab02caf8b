"""The texts of XML as numbers and booleans: where they are that, the first rows tell."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from badgerjobs.lib.csv_texts import PLAIN, READ, TEXT, column_of
from badgerjobs.lib.xml_rows import TEXT as INNER
from badgerjobs.sources.rows.pulling import PullError

# So many places are told.
TOLD = 200

NO_VALUE = "Row {:,}: what stands at “{}” is no {}, as its type says."

# The names that lead to a value in a row. Text beside other things stands where its element does.
Place = tuple[str, ...]


@dataclass(slots=True)
class _Node:
    """Where values of a type are, and what is below: nothing else of a row is looked at."""

    place: Place = ()
    kind: str = TEXT
    below: dict[str, "_Node"] = field(default_factory=dict)


class Values:
    """`begin` it with the first rows, and it makes `typed` ones of these and all others.

    `given` are types by place, like `price`, `@id` or `address/zip`; `finds`: the others are found out, as of CSV.
    """

    def __init__(self, given: Mapping[str, str], *, finds: bool) -> None:
        self._given = {tuple(name.split("/")) if name != INNER else (): kind for name, kind in given.items()}
        self._finds = finds
        self._root = _Node()
        self._count = 0
        self.is_begun = False

    def begin(self, rows: Sequence[Any]) -> dict[str, str]:
        """Find out the types. Gives them by place, the first of many."""
        self.is_begun = True
        cells: dict[Place, list[str]] = {}
        for row in rows if self._finds else ():
            for place, text in _texts(row, ()):
                cells.setdefault(place, []).append(text)
        kinds = {place: column_of(found, (PLAIN,)).kind for place, found in cells.items()} | self._given
        for place, kind in kinds.items():
            if kind != TEXT:
                self._at(place).kind = kind
        return {_named(place): kind for place, kind in list(kinds.items())[:TOLD]}

    def typed(self, rows: list[Any]) -> list[Any]:
        """The same rows, with them. Raises PullError for what is not of a given type."""
        for row in rows:
            self._count += 1
            self._change(row, self._root)
        return rows

    def _at(self, place: Place) -> _Node:
        node = self._root
        for depth, name in enumerate(place, start=1):
            node = node.below.setdefault(name, _Node(place[:depth]))
        return node

    def _change(self, row: dict[str, Any], node: _Node) -> None:
        """In it, and in what is below."""
        for name, inner in node.below.items():
            if name in row:
                row[name] = self._value(row[name], inner)
        if node.kind != TEXT and INNER in row:
            row[INNER] = self._value(row[INNER], node)

    def _value(self, value: Any, node: _Node) -> Any:
        if isinstance(value, str):
            return self._read(value, node) if node.kind != TEXT else value
        if isinstance(value, dict):
            self._change(value, node)
        elif isinstance(value, list):
            value[:] = [self._value(one, node) for one in value]
        return value

    def _read(self, text: str, node: _Node) -> Any:
        """What is not of its type stays a text, where that was found out."""
        found = READ[node.kind](text, PLAIN) if text else None
        if found is not None or not text:
            return found
        if node.place in self._given:
            raise PullError("xml", NO_VALUE.format(self._count, _named(node.place), node.kind), retry=False)
        return text


def _texts(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, (*place, name) if name != INNER else place)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, place)
    elif value is not None:
        yield place, value


def _named(place: Place) -> str:
    return "/".join(place) or INNER
