"""Which collections a list shows: as it stands in the address, so that a view is a link."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from badgerjobs.web.definitions.filters import Field, SaidFilters, words

STATES = {
    "active": Q(is_active=True),
    "not active": Q(is_active=False),
    "a result waits": Q(is_held=True),
    "pinned": Q(pinned__isnull=False),
}


@dataclass(frozen=True, slots=True)
class CollectionFilters(SaidFilters):
    """Words in the name, and a state; empty: not set."""

    q: str = ""
    state: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "CollectionFilters":
        """Take what the address says. What it says wrongly counts as not said: a stale link still shows something."""
        state = given.get("state", "")
        return cls(words(given, "q"), state if state in STATES else "")

    def narrow(self, collections: Any) -> Any:
        """Only those that match."""
        found = collections.filter(name__icontains=self.q) if self.q else collections
        return found.filter(STATES[self.state]) if self.state else found

    def said(self) -> Iterator[tuple[str, str, str]]:
        """Each filter, set or not: its name in the address, what it is called, and what it says to people."""
        yield "q", "search", self.q
        yield "state", "state", self.state

    def fields(self) -> list[Field]:
        """The choice of the form, and what is chosen."""
        return [Field("state", "state", "Any state", [(one, one) for one in STATES], self.state)]
