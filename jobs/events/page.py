"""What the pages of an event and of a connection tell: what it is, who uses it, and how they fared lately."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from rest_framework import serializers

from badgerjobs.web.definitions.facts import Fact, facts_of
from jobs.events.looks import CHOICES, configuration_fields, looks_of
from jobs.events.serializers import ConnectionSerializer, EventSerializer
from jobs.models import Event
from jobs.showing import Row, rows_of

# So many jobs, or events, are listed; their number is told.
LISTED = 50


class DefinitionPage:
    """Everything is looked up when it is shown, and once."""

    serializer: type[serializers.Serializer[Any]]

    def __init__(self, row: Any, now: datetime) -> None:
        self.row, self.now = row, now

    @cached_property
    def configuration(self) -> Mapping[str, Any]:
        """Masked, as REST shows it."""
        found: Mapping[str, Any] = self.serializer(self.row).data["configuration"]
        return found

    @property
    def facts(self) -> list[Fact]:
        """What it says in a line, in the order of the form."""
        return [fact for fact in self._facts if not fact.block]

    @property
    def blocks(self) -> list[Fact]:
        """What it says in many."""
        return [fact for fact in self._facts if fact.block]

    @cached_property
    def _facts(self) -> list[Fact]:
        type_name = self.row.type
        choice = self.configuration.get(CHOICES.get(type_name, ""))
        return facts_of(self.configuration, configuration_fields(type_name), looks_of(type_name), choice)


class EventPage(DefinitionPage):
    """The page of an event."""

    serializer = EventSerializer

    @cached_property
    def users(self) -> list[Row]:
        """The jobs that perform it, by name: so many, and no more."""
        jobs = self.row.jobs.for_application(self.row.application)
        return rows_of(jobs.in_rows().order_by("name", "pk")[:LISTED], self.now)

    @cached_property
    def count(self) -> int:
        """How many perform it."""
        return int(self.row.jobs.for_application(self.row.application).count())

    @property
    def lately(self) -> list[tuple[str, int]]:
        """State → how many of the last runs of those that are listed are in it, the most first."""
        return Counter(bar.state for row in self.users for bar in row.strip).most_common()

    @property
    def runs(self) -> int:
        """How many these are."""
        return sum(count for _, count in self.lately)

    @property
    def poll_s(self) -> int:
        """How often the page looks again, in seconds."""
        return 5 if any(row.running or row.job.runnable.next_run_at for row in self.users) else 10

    def question_before_deleting(self) -> dict[str, Any]:
        """What `pages.ask` is to show."""
        return _question(self.row.name, "event", "No job performs it.")


class ConnectionPage(DefinitionPage):
    """The page of a connection."""

    serializer = ConnectionSerializer

    @cached_property
    def users(self) -> list[Event]:
        """The events that use it, by name: so many, and no more."""
        events = self.row.events.for_application(self.row.application)
        return list(events.in_rows().order_by("name", "pk")[:LISTED])

    @cached_property
    def count(self) -> int:
        """How many use it."""
        return int(self.row.events.for_application(self.row.application).count())

    def question_before_deleting(self) -> dict[str, Any]:
        """What `pages.ask` is to show."""
        return _question(self.row.name, "connection", "No event uses it.")


def _question(name: str, what: str, alone: str) -> dict[str, Any]:
    text = f"{alone} Its configuration goes, with the credentials in it. There is no way back."
    return {
        "title": f"Delete {name}?",
        "text": text,
        "confirm": f"Delete the {what}",
        "keep": "Keep it",
        "danger": True,
    }
