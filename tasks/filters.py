"""Which tasks a list shows, and which lines of a log: as it stands in the address, so that a view is a link."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from badgerjobs.runs.models import Run
from badgerjobs.web.definitions.filters import Field, SaidFilters, words
from badgerjobs.workspaces.models import Application
from tasks.models import SyncState, TaskType

STATES = {"enabled": Q(runnable__enabled=True), "paused": Q(runnable__enabled=False)}
RUNNING = "running"
TYPES = {value: str(label).lower() for value, label in TaskType.choices}
# The states of a key in a run, as a log has them.
SYNC_STATES = (*SyncState.values, "changed")


@dataclass(frozen=True, slots=True)
class TaskFilters(SaidFilters):
    """Words in the name, the tag or the pattern; a type; and enabled, paused or running. Empty: not set."""

    q: str = ""
    type: str = ""
    state: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "TaskFilters":
        """Take what the address says. What it says wrongly counts as not said: a stale link still shows something."""
        kind, state = given.get("type", ""), given.get("state", "")
        return cls(words(given, "q"), kind if kind in TYPES else "", state if state in {*STATES, RUNNING} else "")

    def narrow(self, tasks: Any, application: Application) -> Any:
        """Only the tasks that match."""
        found = tasks.search(self.q) if self.q else tasks
        found = found.filter(type=self.type) if self.type else found
        if self.state == RUNNING:
            return found.filter(runnable_id__in=Run.objects.for_application(application).running_runnables())
        return found.filter(STATES[self.state]) if self.state else found

    def said(self) -> Iterator[tuple[str, str, str]]:
        """Each filter, set or not: its name in the address, what it is called, and what it says to people."""
        yield "q", "search", self.q
        yield "type", "type", TYPES.get(self.type, "")
        yield "state", "state", self.state

    def fields(self) -> list[Field]:
        """The choices of the form, and which of each is chosen."""
        states = [(one, one) for one in (*STATES, RUNNING)]
        return [
            Field("type", "type", "Any type", list(TYPES.items()), self.type),
            Field("state", "state", "Any state", states, self.state),
        ]


@dataclass(frozen=True, slots=True)
class LogFilters(SaidFilters):
    """Words in the name of a key, how its sync went, and a run; empty: not set.

    `run_called` is what people call that run.
    """

    q: str = ""
    state: str = ""
    run: str = ""
    run_called: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "LogFilters":
        """The same of a log."""
        state = given.get("state", "")
        return cls(words(given, "q"), state if state in SYNC_STATES else "", _uuid(given.get("run", "")))

    def narrow(self, syncs: Any) -> Any:
        """Only the lines that match, of those of a task or of the run that is asked for."""
        found = syncs.filter(key_name__contains=self.q) if self.q else syncs
        if self.state == "changed":
            return found.filter(changed=True)
        return found.filter(state=self.state) if self.state else found

    def said(self) -> Iterator[tuple[str, str, str]]:
        """The same of a log."""
        yield "q", "key", self.q
        yield "state", "state", self.state
        yield "run", "run", self.run and (self.run_called or self.run)

    def fields(self) -> list[Field]:
        """The choice of the form, and what is chosen."""
        return [Field("state", "state", "Any state", [(one, one) for one in SYNC_STATES], self.state)]


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""
