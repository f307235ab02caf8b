"""Which jobs a list shows, and in which order: as it stands in the address, so that a view is a link."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import urlencode

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


class Field(NamedTuple):
    """A choice in the form of filters."""

    name: str
    label: str
    anything: str
    choices: Sequence[tuple[str, str]]
    chosen: str


@dataclass(frozen=True, slots=True)
class JobFilters:
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
        words = given.get("q", "").replace("\0", "").strip()[:LONGEST_WORDS]
        sort = given.get("sort", FIRST_SORT)
        return cls(q=words, sort=sort if sort.removeprefix("-") in SORTS else FIRST_SORT, **chosen)

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

    @property
    def is_narrow(self) -> bool:
        return bool(self.q or self.type or self.state or self.last or self.schedule)

    @property
    def query(self) -> str:
        """`?q=…&state=…`, only what is set; `?` alone for the whole list, which is a link too."""
        said = {name: getattr(self, name) for name in ("q", *CHOICES)}
        said["sort"] = "" if self.sort == FIRST_SORT else self.sort
        return f"?{urlencode({name: value for name, value in said.items() if value})}"

    def chips(self) -> Iterator[tuple[str, str, str]]:
        """Each filter that is set: what it is called, what it says, and the address without it."""
        for name, called in LABELS.items():
            if value := getattr(self, name):
                yield called, TYPES.get(value, value) if name == "type" else value, replace(self, **{name: ""}).query

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
