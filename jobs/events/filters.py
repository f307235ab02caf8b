"""Which events or connections a list shows: as it stands in the address, so that a view is a link."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from jobs.models import ConnectionType, EventType
from jobs.querysets import ConnectionQuerySet, EventQuerySet

# Longer than any name or tag can be.
LONGEST_WORDS = 500


@dataclass(frozen=True, slots=True)
class DefinitionFilters:
    """Words in the name or the tag, and a type; empty: not set. `connection`: only the events that use this one."""

    types: type[EventType | ConnectionType]
    q: str = ""
    type: str = ""
    connection: str = ""

    @classmethod
    def read(cls, types: Any, given: Mapping[str, str]) -> "DefinitionFilters":
        """Take what the address says. What it says wrongly counts as not said: a stale link still shows something."""
        words, connection = (given.get(n, "").replace("\0", "").strip()[:LONGEST_WORDS] for n in ("q", "connection"))
        asked = given.get("type", "").upper()
        return cls(types, words, asked if asked in types.values else "", connection if types is EventType else "")

    def narrow(self, rows: EventQuerySet | ConnectionQuerySet) -> Any:
        """Only those that match."""
        found: Any = rows.search(self.q) if self.q else rows
        found = found.filter(type=self.type) if self.type else found
        return found.filter(connection__tag=self.connection) if self.connection else found

    @property
    def is_narrow(self) -> bool:
        return bool(self.q or self.type or self.connection)

    @property
    def query(self) -> str:
        """`?q=…&type=…`, only what is set; `?` alone for the whole list, which is a link too."""
        said = {"q": self.q, "type": self.type, "connection": self.connection}
        return f"?{urlencode({name: value for name, value in said.items() if value})}"

    def chips(self) -> Iterator[tuple[str, str, str]]:
        """Each filter that is set: what it is called, what it says, and the address without it."""
        said = {"search": ("q", self.q), "type": ("type", self.type and self.types(self.type).label.lower()),
                "connection": ("connection", self.connection)}  # fmt: skip
        for called, (name, value) in said.items():
            if value:
                yield called, value, replace(self, **{name: ""}).query  # type: ignore[arg-type]

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The types there are, and their names."""
        return [(value, str(label)) for value, label in self.types.choices]
