"""Which async jobs and slurpers a list shows: as it stands in the address, so that a view is a link."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from badgerjobs.runs.models import Run
from badgerjobs.web.definitions.filters import Field, SaidFilters, words
from badgerjobs.workspaces.models import Application
from slurps.models import Language

STATES = {"enabled": Q(runnable__enabled=True), "paused": Q(runnable__enabled=False)}
RUNNING = "running"
LANGUAGES = {value: str(label) for value, label in Language.choices}


@dataclass(frozen=True, slots=True)
class JobFilters(SaidFilters):
    """Words in the name or the tag; a slurper, by its tag; and enabled, paused or running. Empty: not set."""

    q: str = ""
    slurper: str = ""
    state: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "JobFilters":
        """Take what the address says. What it says wrongly counts as not said: a stale link still shows something."""
        state = given.get("state", "")
        known = state if state in {*STATES, RUNNING} else ""
        return cls(words(given, "q"), words(given, "slurper"), known)

    def narrow(self, jobs: Any, application: Application) -> Any:
        """Only the jobs that match."""
        found = jobs.search(self.q) if self.q else jobs
        found = found.filter(slurper__tag=self.slurper) if self.slurper else found
        if self.state == RUNNING:
            return found.filter(runnable_id__in=Run.objects.for_application(application).running_runnables())
        return found.filter(STATES[self.state]) if self.state else found

    def said(self) -> Iterator[tuple[str, str, str]]:
        """Each filter, set or not: its name in the address, what it is called, and what it says to people."""
        yield "q", "search", self.q
        yield "slurper", "slurper", self.slurper
        yield "state", "state", self.state

    def fields(self) -> list[Field]:
        """The choice of the form, and what is chosen."""
        return [Field("state", "state", "Any state", [(one, one) for one in (*STATES, RUNNING)], self.state)]


@dataclass(frozen=True, slots=True)
class SlurperFilters(SaidFilters):
    """Words in the name or the tag, and a language; empty: not set."""

    q: str = ""
    language: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "SlurperFilters":
        """The same of slurpers."""
        language = given.get("language", "")
        return cls(words(given, "q"), language if language in LANGUAGES else "")

    def narrow(self, slurpers: Any) -> Any:
        """Only those that match."""
        found = slurpers.search(self.q) if self.q else slurpers
        return found.filter(language=self.language) if self.language else found

    def said(self) -> Iterator[tuple[str, str, str]]:
        """The same of slurpers."""
        yield "q", "search", self.q
        yield "language", "language", LANGUAGES.get(self.language, "")

    def fields(self) -> list[Field]:
        """The choice of the form, and what is chosen."""
        return [Field("language", "language", "Any language", list(LANGUAGES.items()), self.language)]
