"""A key in hand, what came of fetching it, and what becomes of it then: pure, so that every rule is a row in a test."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from badgerjobs.lib.backoff import Retries, next_attempt
from badgerjobs.runs.outcomes import Later
from badgerjobs.sources.results import Fetched, Unfetched
from tasks.models import SyncState


@dataclass(frozen=True, slots=True)
class Due:
    """A key of a run whose time has come: how often it was tried, and when it was tried first (None: never).

    `version` is another one when the key has another source or other variables, or its source was changed: what was
    fetched before is not its value.
    """

    key_id: int
    name: str
    source_id: int
    variables: Mapping[str, Any]
    attempts: int
    started_at: datetime | None
    version: str


@dataclass(frozen=True, slots=True)
class Tried:
    """One key after one attempt, as the books take it. `due_at` is when it is tried again, where it waits."""

    due: Due
    state: SyncState
    due_at: datetime
    started_at: datetime
    ended_at: datetime
    duration_ms: int
    status: int | None = None
    body: str | None = None
    bytes: int | None = None
    etag: str = ""
    error_class: str = ""
    error: str = ""

    @property
    def size(self) -> int:
        """About how many bytes writing it takes."""
        return (self.bytes or 0) + 500


@dataclass(frozen=True, slots=True)
class PutOff:
    """A key that was not tried: there was no room for it. It uses up no attempt."""

    due: Due
    due_at: datetime

    @property
    def size(self) -> int:
        """As that of `Tried`."""
        return 500


def settle(
    due: Due,
    found: Fetched | Unfetched | Later,
    *,
    policy: Retries,
    started_at: datetime,
    ended_at: datetime,
) -> Tried | PutOff:
    """Succeeded, failed for good, or waiting for its next attempt: each key by itself."""
    if isinstance(found, Later):
        return PutOff(due, ended_at + timedelta(seconds=found.seconds))
    if isinstance(found, Fetched):
        return Tried(
            due,
            SyncState.SUCCEEDED,
            ended_at,
            started_at,
            ended_at,
            found.duration_ms,
            status=found.status,
            body=found.body,
            bytes=found.bytes,
            etag=found.etag,
        )
    return _failed(due, found, policy, started_at, ended_at)


def _failed(due: Due, found: Unfetched, policy: Retries, started_at: datetime, ended_at: datetime) -> Tried:
    at, why = None, ""
    if found.retry:
        began = due.started_at or started_at
        again = next_attempt(policy, due.attempts + 1, began=began, failed=ended_at, asked=found.retry_after)
        at, why = again.at, again.why
    return Tried(
        due,
        SyncState.WAITING if at else SyncState.FAILED,
        at or ended_at,
        started_at,
        ended_at,
        found.duration_ms,
        status=found.status,
        error_class=found.error_class,
        error=f"{found.error} {why}".rstrip(),
    )
