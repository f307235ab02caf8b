"""Which of them a list shows: as it stands in the address, so that a view is a link."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

from django.db.models import TextChoices

from badgerjobs.web.definitions.fields import type_named

# Longer than any name or tag can be.
LONGEST_WORDS = 500
Types = type[TextChoices]


class Field(NamedTuple):
    """A choice in the form of filters; `anything` is what it says where nothing is chosen."""

    name: str
    label: str
    anything: str
    choices: Sequence[tuple[str, str]]
    chosen: str


class SaidFilters:
    """A dataclass of filters, each a text, that says what it is called: empty ones are not set."""

    __slots__ = ()

    def said(self) -> Iterator[tuple[str, str, str]]:
        """Each filter, set or not: its name in the address, what it is called, and what it says to people."""
        raise NotImplementedError

    def unsaid(self) -> dict[str, str]:
        """What the address has that narrows nothing, by its name there: an order."""
        return {}

    @property
    def order(self) -> str:
        """What the rows are sorted by, for `cursors.page_of`."""
        return "title"

    @property
    def is_narrow(self) -> bool:
        return any(value for _, _, value in self.said())

    @property
    def query(self) -> str:
        """`?q=…&type=…`, only what is set; `?` alone for the whole list, which is a link too."""
        given = {name: getattr(self, name) for name, _, _ in self.said()} | self.unsaid()
        return f"?{urlencode({name: value for name, value in given.items() if value})}"

    def chips(self) -> Iterator[tuple[str, str, str]]:
        """Each filter that is set: what it is called, what it says, and the address without it."""
        for name, called, value in self.said():
            if value:
                yield called, value, replace(self, **{name: ""}).query  # type: ignore[type-var]


@dataclass(frozen=True, slots=True)
class TypeFilters(SaidFilters):
    """Words in the name or the tag, and a type; empty: not set."""

    types: Types
    q: str = ""
    type: str = ""

    @classmethod
    def read(cls, types: Types, given: Mapping[str, str]) -> Self:
        """Take what the address says. What it says wrongly counts as not said: a stale link still shows something."""
        asked = type_named(words(given, "type"))
        return cls(types, words(given, "q"), asked if asked in types.values else "")

    def narrow(self, rows: Any) -> Any:
        """Only those that match."""
        found = rows.search(self.q) if self.q else rows
        return found.filter(type=self.type) if self.type else found

    def said(self) -> Iterator[tuple[str, str, str]]:
        """Each filter, set or not: its name in the address, what it is called, and what it says to people."""
        yield "q", "search", self.q
        yield "type", "type", self.type and self.types(self.type).label

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The types there are, and their names."""
        return [(value, str(label)) for value, label in self.types.choices]


def words(given: Mapping[str, str], name: str, most: int = LONGEST_WORDS) -> str:
    """What the address says under a name, as far as it can be looked for."""
    return given.get(name, "").replace("\0", "").strip()[:most]
