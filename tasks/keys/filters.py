"""Which cache keys a list shows: as it stands in the address, so that a view is a link."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from badgerjobs.web.definitions.filters import SaidFilters, words
from badgerjobs.workspaces.models import Application
from tasks.keys.choosing import of_source
from tasks.keys.states import KeyState, standing
from tasks.models import CacheKey, Selection
from tasks.querysets import CacheKeyQuerySet
from tasks.selection import matching

NEWEST = "newest"
# In words, as a row and the form say them.
STATES = {state.value: str(state.label).lower() for state in KeyState}


@dataclass(frozen=True, slots=True)
class KeyFilters(SaidFilters):
    """A part of the name, a source, a tag and a state; empty: not set. Keys stand by name, or the newest first."""

    q: str = ""
    source: str = ""
    tag: str = ""
    state: str = ""
    sort: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "KeyFilters":
        """Take what the address says. What it says wrongly counts as not said: a stale link still shows something."""
        q, source, tag = (words(given, name) for name in ("q", "source", "tag"))
        state, sort = given.get("state", ""), given.get("sort", "")
        return cls(q, source, tag, state if state in STATES else "", sort if sort == NEWEST else "")

    def keys(self, application: Application, now: datetime) -> CacheKeyQuerySet:
        """The application's keys that match."""
        if self.q:
            found = matching(application, Selection.CONTAINS, self.q).order_by()
        else:
            found = CacheKey.objects.for_application(application)
        found = of_source(found, application, self.source) if self.source else found
        found = found.filter(tags__contains=[self.tag]) if self.tag else found
        return found.filter(standing(self.state, now)) if self.state else found

    def said(self) -> Iterator[tuple[str, str, str]]:
        """Each filter, set or not: its name in the address, what it is called, and what it says to people."""
        yield "q", "name", self.q
        yield "source", "source", self.source
        yield "tag", "tag", self.tag
        yield "state", "state", STATES.get(self.state, "")

    def unsaid(self) -> dict[str, str]:
        """How the keys stand."""
        return {"sort": self.sort}

    @property
    def order(self) -> str:
        """What the rows are sorted by, for `cursors.page_of`."""
        return "-pk" if self.sort == NEWEST else "name"

    @property
    def order_in_words(self) -> str:
        return "newest first" if self.sort == NEWEST else "by name"

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The states there are, and what they are called."""
        return list(STATES.items())
