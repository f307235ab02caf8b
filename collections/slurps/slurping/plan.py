"""What a run needs to know before it begins, and what it says while it goes on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from badgerjobs.sources.models import DataSource
from badgerjobs.sources.rows.pulling import Pulling
from slurps.models import AsyncJob, Collection, Slurper

# Writes a line into the run's log, at once.
Say = Callable[[Literal["info", "error"], str, Any], None]


class SlurpError(Exception):
    """The run failed: one word for machines, one sentence for people. `retry`: another try may help."""

    def __init__(
        self, error_class: str, message: str, *, retry: bool = False, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message)
        self.error_class, self.message, self.retry, self.retry_after = error_class, message, retry, retry_after


@dataclass(frozen=True, slots=True)
class Plan:
    """A job with all that it names. `collection` is None where nothing is stored.

    `values` are for the placeholders of its sources.
    """

    job: AsyncJob
    slurper: Slurper
    sources: Sequence[DataSource]
    collection: Collection | None
    run_id: UUID
    worker: UUID | None
    attempt: int
    now: datetime
    say: Say
    values: Mapping[str, Any] = field(default_factory=dict)
    # What each source gave to go on from the next time, by its tag. Filled while they are pulled.
    remembered: dict[str, Any] = field(default_factory=dict)
    # How many rows each source has given so far, by its tag. Counted while they are pulled.
    came: dict[str, int] = field(default_factory=dict)
    # The pulls that were begun, by the source's tag: each is to be told what became of its rows.
    pulls: dict[str, Pulling] = field(default_factory=dict)

    @property
    def context(self) -> dict[str, Any]:
        """The `ctx` of code: JSON."""
        return {
            "job": self.job.tag,
            "collection": self.collection.name if self.collection else None,
            "run": str(self.run_id),
            "attempt": self.attempt,
            "now": self.now.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows that came from a source, or that were made of them. `source` is its tag, empty for made ones."""

    rows: list[Any]
    source: str = ""
    read: int = 0
