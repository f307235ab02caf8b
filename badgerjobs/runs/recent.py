"""The last runs of many runnables at once, for lists: each is one statement, and costs no more for a long history."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from badgerjobs.runs.models import FINAL, State

# How many bars a strip has.
STRIP = 20
# So many runs are counted by state at the most: more would walk a history that nobody waits for.
COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Bar:
    """A run as a strip draws it: its state, and how long it took in milliseconds (None: it has not ended)."""

    state: str
    duration_ms: int | None
    started_at: datetime | None
    cause: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The last run that is over, and its last attempt. `status` is what its endpoint answered, where one did."""

    id: UUID
    number: int
    state: str
    attempts: int
    error: str
    ended_at: datetime | None
    duration_ms: int | None
    error_class: str
    status: int | None


# A loop over the runnables: each costs a walk of as many rows as it gives.
_LAST = """
SELECT r.* FROM unnest(%(ids)s::bigint[]) AS owner(id), LATERAL (
    SELECT runnable_id, state, (extract(epoch FROM finished_at - started_at) * 1000)::bigint, started_at, cause
    FROM runs_run WHERE runnable_id = owner.id ORDER BY id DESC LIMIT %(most)s) r
"""

_ENDED = """
SELECT r.*, a.duration_ms, coalesce(a.error_class, ''), a.result -> 'status'
FROM unnest(%(ids)s::bigint[]) AS owner(id),
LATERAL (SELECT runnable_id, id, number, state, attempts, left(error, 300), finished_at FROM runs_run
         WHERE runnable_id = owner.id AND state = ANY(%(states)s)
         ORDER BY id DESC LIMIT 1) r
LEFT JOIN runs_attempt a ON a.run_id = r.id AND a.number = r.attempts
"""

_COUNTS = """
SELECT state, count(*), min(created_at) FROM (
    SELECT state, created_at FROM runs_run WHERE runnable_id = %s ORDER BY id DESC LIMIT %s) r GROUP BY state
"""


def last_runs(runnable_ids: Iterable[int], *, most: int = STRIP) -> dict[int, list[Bar]]:
    """Runnable → its last runs, oldest first; absent where there is none."""
    found: dict[int, list[Bar]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LAST, {"ids": list(runnable_ids), "most": most})
        for runnable_id, *columns in cursor.fetchall():
            found.setdefault(runnable_id, []).insert(0, Bar(*columns))
    return found


def last_ended(runnable_ids: Iterable[int], *, states: Iterable[State] = FINAL) -> dict[int, Ended]:
    """Runnable → its last run that ended in one of these states; absent where none did."""
    with connection.cursor() as cursor:
        cursor.execute(_ENDED, {"ids": list(runnable_ids), "states": [state.value for state in states]})
        rows = cursor.fetchall()
    return {runnable_id: Ended(*(*columns, _status(status))) for runnable_id, *columns, status in rows}


def counts(runnable_id: int, *, most: int = COUNTED) -> tuple[dict[str, int], datetime | None]:
    """State → how many of the last runs are in it, and when the first of those counted was made."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [runnable_id, most])
        rows = cursor.fetchall()
    return {state: count for state, count, _ in rows}, min((since for *_, since in rows), default=None)


def _status(value: object) -> int | None:
    # Django hands jsonb over as text when the query is written by hand.
    text = str(value)
    return int(text) if text.isdigit() else None
