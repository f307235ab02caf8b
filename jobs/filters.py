"""Which jobs a list shows, and in which order: as it stands in the address, so that a view is a link."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from badgerjobs.web.definitions.filters import Field, SaidFilters, words
from badgerjobs.workspaces.models import Application
from jobs.models import EventType
from jobs.querysets import SCHEDULES, STATES, JobQuerySet

# As the address has them, and in words. What a job calls itself is an action too, here as in REST.
TYPES = {value.lower(): label.lower() for value, label in EventType.choices} | {"action": "HTTP call or action"}
CHOICES = {
    "type": ("Any type", tuple(TYPES)),
    "state": ("Any state", (*STATES, "running")),
    "last": ("Any last result", ("succeeded", "failed", "aborted", "skipped")),
    "schedule": ("Any schedule", tuple(SCHEDULES)),
}
# What the address calls it → what is sorted by, and how a reader is told of it, rising and falling.
SORTS = {
    "name": ("title", "by name", "by name, from the end"),
    "next_run": ("runnable__next_run_at", "next run first", "next run last"),
    "last_run": ("runnable__last_run_at", "longest since the last run first", "last run first"),
}
FIRST_SORT = "next_run"
LABELS = {"q": "search", "type": "type", "state": "state", "last": "last result", "schedule": "schedule"}
# Longer than any name, tag or endpoint can be.
LONGEST_WORDS = 2000


class Sort(NamedTuple):
    """How a column is sorted now, and the address that sorts by it, or turns it round."""

    way: str
    query: str


@dataclass(frozen=True, slots=True)
class JobFilters(SaidFilters):
    """The filters that are set (empty: not set) and the order (`-` in front: falling)."""

    q: str = ""
    type: str = ""
    state: str = ""
    last: str = ""
    schedule: str = ""
    sort: str = FIRST_SORT

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "JobFilters":
        """Take what the address says. What it says wrongly counts as not said: a stale link still shows something."""
        chosen = {name: given.get(name, "") for name in CHOICES if given.get(name) in CHOICES[name][1]}
        sort = given.get("sort", FIRST_SORT)
        return cls(
            q=words(given, "q", LONGEST_WORDS), sort=sort if sort.removeprefix("-") in SORTS else FIRST_SORT, **chosen
        )

    def narrow(self, jobs: JobQuerySet, application: Application) -> JobQuerySet:
        """Only the jobs that match."""
        jobs = jobs.search(self.q) if self.q else jobs
        jobs = jobs.of_types([self.type.upper()]) if self.type else jobs
        jobs = jobs.in_state(self.state, application) if self.state else jobs
        jobs = jobs.scheduled(self.schedule) if self.schedule else jobs
        return jobs.last_was(self.last) if self.last else jobs

    @property
    def order(self) -> str:
        """What the rows are sorted by, for `cursors.page_of`."""
        column = SORTS[self.sort.removeprefix("-")][0]
        return f"-{column}" if self.sort.startswith("-") else column

    @property
    def order_in_words(self) -> str:
        _, rising, falling = SORTS[self.sort.removeprefix("-")]
        return falling if self.sort.startswith("-") else rising

    def said(self) -> Iterator[tuple[str, str, str]]:
        """Each filter, set or not: its name in the address, what it is called, and what it says to people."""
        for name, called in LABELS.items():
            value = getattr(self, name)
            yield name, called, TYPES.get(value, value) if name == "type" else value

    def unsaid(self) -> dict[str, str]:
        """How the jobs stand, where that is not as usual."""
        return {"sort": "" if self.sort == FIRST_SORT else self.sort}

    def sorts(self) -> dict[str, Sort]:
        """For each column that sorts: what `aria-sort` says of it, and the address that a press leads to."""
        ways = {self.sort.removeprefix("-"): "descending" if self.sort.startswith("-") else "ascending"}
        return {
            name: Sort(ways.get(name, "none"), replace(self, sort=f"-{name}" if self.sort == name else name).query)
            for name in SORTS
        }

    def fields(self) -> list[Field]:
        """The choices of the form, and which of each is chosen."""
        return [
            Field(name, LABELS[name], anything, [(one, TYPES.get(one, one)) for one in choices], getattr(self, name))
            for name, (anything, choices) in CHOICES.items()
        ]
