"""The texts of XML as numbers and booleans: where they are that, the first rows tell."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from badgerjobs.lib.csv_texts import PLAIN, READ, TEXT, column_of
from badgerjobs.lib.xml_rows import TEXT as INNER
from badgerjobs.sources.rows.pulling import PullError

# So many places are told.
TOLD = 200

NO_VALUE = "Row {:,}: what stands at “{}” is no {}, as its type says."

# The names that lead to a value in a row. Text beside other things stands where its element does.
Place = tuple[str, ...]


class Values:
    """`begin` it with the first rows, and it makes `typed` ones of these and all others.

    `given` are types by place, like `price`, `@id` or `address/zip`; `finds`: the others are found out, as of CSV.
    """

    def __init__(self, given: Mapping[str, str], *, finds: bool) -> None:
        self._given = {tuple(name.split("/")) if name != INNER else (): kind for name, kind in given.items()}
        self._finds = finds
        self._readers: dict[Place, tuple[str, Callable[[str, str], Any]]] = {}
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
        self._readers = {place: (kind, READ[kind]) for place, kind in kinds.items() if kind != TEXT}
        return {_named(place): kind for place, kind in list(kinds.items())[:TOLD]}

    def typed(self, rows: list[Any]) -> list[Any]:
        """The rows with them. Raises PullError for what is not of a given type."""
        if not self._readers:
            self._count += len(rows)
            return rows
        return [self._row(row) for row in rows]

    def _row(self, row: Any) -> Any:
        self._count += 1
        return self._value(row, ())

    def _value(self, value: Any, place: Place) -> Any:
        if isinstance(value, dict):
            return {name: self._value(inner, (*place, name) if name != INNER else place)
                    for name, inner in value.items()}  # fmt: skip
        if isinstance(value, list):
            return [self._value(inner, place) for inner in value]
        if value is None or place not in self._readers:
            return value
        kind, reader = self._readers[place]
        if value == "":
            return None
        found = reader(value, PLAIN)
        if found is None and place in self._given:
            raise PullError("xml", NO_VALUE.format(self._count, _named(place), kind), retry=False)
        return value if found is None else found


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
