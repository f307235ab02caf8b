"""Which background tasks a list shows, and in which order: as it stands in the address, so that a view is a link."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models.functions import Lower
from django.utils import timezone

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.web.definitions.filters import Field, SaidFilters, words
from badgerjobs.web.typed import moment_of, uuid_of
from badgerjobs.workspaces.models import Application
from tasks.background.reading import STATUS, conditions
from tasks.background.standing import STATUSES
from tasks.querysets import BackgroundRunQuerySet

# What the address calls it → what is sorted by, and how a reader is told of it, rising and falling.
SORTS = {
    "name": ("title", "by name", "by name, from the end"),
    "status": ("standing", "by status", "by status, from the end"),
    "definition": ("definition", "by definition", "by definition, from the end"),
    "created": ("pk", "oldest first", "newest first"),
    "started": ("run__started_at", "first to start first", "last to start first"),
    "finished": ("run__finished_at", "first to finish first", "last to finish first"),
}
# Times begin with what was last, as people look for it.
TIMES = ("created", "started", "finished")
FIRST_SORT = "-created"


class Sort(NamedTuple):
    """How a column is sorted now, and the address that sorts by it, or turns it round."""

    way: str
    query: str


@dataclass(frozen=True, slots=True)
class BackgroundFilters(SaidFilters):
    """Words in the name, a status, a definition, the one that triggered it, a span of time, and an order.

    Empty: not set. Times are the reader's, unless they name a zone. `unread` are the names of those that the address
    says wrongly.
    """

    q: str = ""
    status: str = ""
    definition: str = ""
    parent: str = ""
    since: str = ""
    until: str = ""
    sort: str = FIRST_SORT
    unread: tuple[str, ...] = ()

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "BackgroundFilters":
        """Take what the address says. What it says wrongly narrows nothing, and is told."""
        read = {name: words(given, name) for name in ("status", "parent", "since", "until")}
        known = {
            "status": read["status"] in STATUSES,
            "parent": uuid_of(read["parent"]) is not None,
            "since": moment_of(read["since"]) is not None,
            "until": moment_of(read["until"]) is not None,
        }
        unread = tuple(name for name, text in read.items() if text and not known[name])
        kept = {name: text if known[name] else "" for name, text in read.items()}
        sort = given.get("sort", FIRST_SORT)
        sort = sort if sort.removeprefix("-") in SORTS else FIRST_SORT
        return cls(words(given, "q"), definition=words(given, "definition"), sort=sort, unread=unread, **kept)

    @property
    def order(self) -> str:
        """What the rows are sorted by, for `cursors.page_of`."""
        column = SORTS[self.sort.removeprefix("-")][0]
        return f"-{column}" if self.sort.startswith("-") else column

    @property
    def order_in_words(self) -> str:
        _, rising, falling = SORTS[self.sort.removeprefix("-")]
        return falling if self.sort.startswith("-") else rising

    def narrow(self, rows: BackgroundRunQuerySet, application: Application) -> BackgroundRunQuerySet:
        """Only those that match."""
        found = rows.filter(name__icontains=self.q) if self.q else rows
        found = found.filter(definition=self.definition) if self.definition else found
        found = found.filter(parent_id=self.parent) if self.parent else found
        since, until = moment_of(self.since), moment_of(self.until)
        # Ids are made in the order of time, and never before it: that bound has an index.
        found = found.filter(run_id__gte=_floor(since), created_at__gte=since) if since else found
        found = found.filter(created_at__lt=until) if until else found
        return found.filter(conditions(application, {"taskStatus": self.status})) if self.status else found

    def sortable(self, rows: BackgroundRunQuerySet) -> BackgroundRunQuerySet:
        """The same with what is sorted by and is no column: names as people sort them, in any case, and the status."""
        match self.order.removeprefix("-"):
            case "title":
                return rows.annotate(title=Lower("name"))
            case "standing":
                return rows.annotate(standing=STATUS)
        return rows

    def said(self) -> Iterator[tuple[str, str, str]]:
        """Each filter, set or not: its name in the address, what it is called, and what it says to people."""
        yield "q", "search", self.q
        yield "status", "status", self.status
        yield "definition", "definition", self.definition
        yield "parent", "triggered by", self.parent
        for name, called in (("since", "from"), ("until", "to")):
            moment = moment_of(getattr(self, name))
            yield name, called, f"{timezone.localtime(moment):%Y-%m-%d %H:%M}" if moment else ""

    def unsaid(self) -> dict[str, str]:
        """The order, where that is not as usual."""
        return {"sort": "" if self.sort == FIRST_SORT else self.sort}

    def sorts(self) -> dict[str, Sort]:
        """For each column that sorts: what `aria-sort` says of it, and the address that a press leads to."""
        ways = {self.sort.removeprefix("-"): "descending" if self.sort.startswith("-") else "ascending"}
        return {name: Sort(ways.get(name, "none"), replace(self, sort=self._turned(name)).query) for name in SORTS}

    def _turned(self, name: str) -> str:
        falling, rising = f"-{name}", name
        if self.sort in {falling, rising}:
            return rising if self.sort == falling else falling
        return falling if name in TIMES else rising

    def fields(self, definitions: Sequence[tuple[str, str]]) -> list[Field]:
        """The choices of the form, and which of each is chosen. `definitions`: ids and titles."""
        return [
            Field("status", "status", "Any status", [(one, one) for one in STATUSES], self.status),
            Field("definition", "definition", "Any definition", definitions, self.definition),
        ]

    def hidden(self) -> list[tuple[str, str]]:
        """The same filters as a form carries them on."""
        return [(name, getattr(self, name)) for name, _, said in self.said() if said]


def _floor(moment: datetime) -> UUID:
    """The smallest id of what was made then. Ids begin in 1970, and nothing of ours is older."""
    return uuid7_floor(max(moment, datetime.fromtimestamp(0, UTC)))
