"""What the pages of an event and of a connection tell: what it is, who uses it, and how they fared lately."""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.urls import reverse

from badgerjobs.web.definitions.facts import Fact
from badgerjobs.web.definitions.looks import Look
from badgerjobs.web.definitions.page import DefinitionPage
from badgerjobs.web.serializers import StrictSerializer
from jobs.events.looks import CHOICES, TASK, configuration_serializer, looks_of
from jobs.events.serializers import ConnectionSerializer, EventSerializer
from jobs.models import Event
from jobs.showing import Row, rows_of
from tasks.background.definitions import definition_of
from tasks.hooks import hook_verb

# So many jobs, or events, are listed; their number is told.
LISTED = 50


class TypedPage(DefinitionPage):
    """Of an event or a connection: its type is a row in the tables of both."""

    @property
    def looks(self) -> Mapping[str, Look]:
        return looks_of(self.row.type)

    @property
    def configuration_serializer(self) -> type[StrictSerializer]:
        return configuration_serializer(self.row.type)

    @property
    def chooser(self) -> str:
        return CHOICES.get(self.row.type, "")


class EventPage(TypedPage):
    """The page of an event."""

    serializer = EventSerializer

    @property
    def facts(self) -> list[Fact]:
        """The same; the background task that it triggers leads to the page of that."""
        its = definition_of(self.configuration.get(TASK) or "")
        if its is None or its.is_private:
            return super().facts
        label = self.looks[TASK].label
        address = reverse("background:definition", args=[self.row.application.slug, its.id])
        return [fact._replace(address=address) if fact.label == label else fact for fact in super().facts]

    @cached_property
    def users(self) -> list[Row]:
        """The jobs that perform it, by name: so many, and no more."""
        jobs = self.row.jobs.for_application(self.row.application)
        return rows_of(jobs.in_rows().order_by("name", "pk")[:LISTED], self.now)

    @cached_property
    def count(self) -> int:
        """How many perform it."""
        return int(self.row.jobs.for_application(self.row.application).count())

    @cached_property
    def starters(self) -> Any:
        """The hooks that perform it without a job: name and address of each."""
        return hook_verb("starters")(self.row.application, "event", self.row.tag)

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


class ConnectionPage(TypedPage):
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
