"""Which events or connections a list shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from badgerjobs.web.definitions.filters import TypeFilters, words
from jobs.models import EventType


@dataclass(frozen=True, slots=True)
class EventFilters(TypeFilters):
    """`connection`: only the events that use this one."""

    connection: str = ""

    @classmethod
    def of_events(cls, given: Mapping[str, str]) -> "EventFilters":
        """Take what the address says."""
        return replace(cls.read(EventType, given), connection=words(given, "connection"))

    def narrow(self, rows: Any) -> Any:
        """Only those that match."""
        found = TypeFilters.narrow(self, rows)
        return found.filter(connection__tag=self.connection) if self.connection else found

    def said(self) -> Iterator[tuple[str, str, str]]:
        """With the connection."""
        yield from TypeFilters.said(self)
        yield "connection", "connection", self.connection
