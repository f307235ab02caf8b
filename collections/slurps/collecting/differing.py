"""What differs between two versions, line by line, as people compare: which row, which column, before and after."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from slurps.collecting.grid import Cell, cell_of
from slurps.models import Collection

KINDS = ("added", "changed", "removed")
SIGNS = {"added": "+", "changed": "~", "removed": "−"}  # noqa: RUF001  a minus
# So many columns of one row are told.
COLUMNS = 20


class Line(NamedTuple):
    """One line: of which kind, its sign, which row, which column (empty: the whole row), and what was and is there."""

    kind: str
    sign: str
    row: str
    column: str
    before: Cell | None
    after: Cell | None


class Differing:
    """`told` is what REST tells; `chosen` narrows it to one kind."""

    def __init__(self, told: Mapping[str, Any], collection: Collection, chosen: str) -> None:
        self._told, self._collection, self._chosen = told, collection, chosen

    @property
    def counts(self) -> list[tuple[str, str, int]]:
        """Kind, sign and how many rows."""
        return [(kind, SIGNS[kind], self._told[kind]["count"]) for kind in KINDS]

    @property
    def total(self) -> int:
        return sum(count for _, _, count in self.counts)

    @property
    def by_content(self) -> bool:
        """Whether rows have nothing to be known again by, but all that they hold."""
        return bool(self._told["by"] == "content")

    @property
    def hidden(self) -> int:
        """How many rows of those that are asked for are not shown."""
        return sum(self._told[kind]["count"] - len(self._told[kind]["rows"]) for kind in self._kinds)

    def lines(self) -> Iterator[Line]:
        """Those of the kinds that are asked for."""
        for kind in self._kinds:
            for row in self._told[kind]["rows"]:
                yield from self._changed(row) if kind == "changed" else self._whole(kind, row)

    @property
    def _kinds(self) -> tuple[str, ...]:
        return (self._chosen,) if self._chosen in KINDS else KINDS

    def _whole(self, kind: str, row: Mapping[str, Any]) -> Iterator[Line]:
        cell = cell_of(row)
        before, after = (None, cell) if kind == "added" else (cell, None)
        yield Line(kind, SIGNS[kind], self._called(row), "", before, after)

    def _changed(self, row: Mapping[str, Any]) -> Iterator[Line]:
        before, after = row["before"], row["after"]
        names = [name for name in dict.fromkeys((*after, *before)) if not _same(before, after, name)]
        for name in names[:COLUMNS]:
            cells = [cell_of(one[name]) if name in one else None for one in (before, after)]
            yield Line("changed", SIGNS["changed"], self._called(after), name, *cells)

    def _called(self, row: Mapping[str, Any]) -> str:
        """What people know it by: its key, or the first of its columns."""
        names = self._collection.key or list(row)[:1]
        return ", ".join(cell_of(row.get(name)).text for name in names)


def _same(before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> bool:
    """As JSON has it: 1 and true are two values."""
    if (name in before) != (name in after):
        return False
    return json.dumps(before[name], sort_keys=True) == json.dumps(after[name], sort_keys=True)
