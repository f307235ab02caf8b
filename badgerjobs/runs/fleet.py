"""Which worker and beat processes there are, and what each worker still holds.

A worker's claim on its runs is believed while the worker is seen: one row a process is kept alive, not one a run.
"""

import os
import socket
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from badgerjobs.lib.time_limits import within
from badgerjobs.runs.models import Beat, Queue, Worker

PULSE_S = 1.0
# A worker that says nothing for so long has lost what it held. Pulses missed in between: a database restart, a pause.
LEASE = timedelta(seconds=20)
# Its row is kept for a while after that, so that one can see that it was there.
FORGET = timedelta(hours=1)
# How long saying so may take (seconds): it is said again soon.
ANSWER_S = 5.0


def _own_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True, slots=True)
class Identity:
    """A worker process, new at each start: what an earlier one held is never taken for its own."""

    queue: Queue
    id: UUID = field(default_factory=uuid.uuid4)
    name: str = field(default_factory=_own_name)


_PULSE = """
INSERT INTO runs_worker (id, name, queue, started_at, seen_at)
VALUES (%s, %s, %s, clock_timestamp(), clock_timestamp())
ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
"""


@within(ANSWER_S)
def pulse(worker: Identity, holding: Sequence[UUID]) -> list[UUID]:
    """Say that a worker is alive. Returns which of the runs it holds are no longer its own: aborted, or rescued."""
    with connection.cursor() as cursor:
        cursor.execute(_PULSE, [worker.id, worker.name, worker.queue.value])
        if not holding:
            return []
        cursor.execute(
            "SELECT held.id FROM unnest(%s::uuid[]) AS held(id) LEFT JOIN runs_run r"
            " ON r.id = held.id AND r.state = 'running' AND r.worker = %s WHERE r.id IS NULL",
            [list(holding), worker.id],
        )
        return [run_id for (run_id,) in cursor.fetchall()]


@within(ANSWER_S)
def strays(worker: Identity, known: Sequence[UUID]) -> set[UUID]:
    """Give the runs that a worker has by the books, and does not know of."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM runs_run WHERE state = 'running' AND worker = %s AND NOT id = ANY(%s)",
            [worker.id, list(known)],
        )
        return {run_id for (run_id,) in cursor.fetchall()}


_PULSE_OF_BEAT = """
INSERT INTO runs_beat (id, name, started_at, seen_at) VALUES (%s, %s, clock_timestamp(), clock_timestamp())
ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
"""


@within(ANSWER_S)
def pulse_beat(beat: UUID) -> None:
    """Say that a beat, this process, is alive."""
    with connection.cursor() as cursor:
        cursor.execute(_PULSE_OF_BEAT, [beat, _own_name()])


def beats_seen(lately: timedelta) -> int:
    """How many beats said so lately."""
    return Beat.objects.filter(seen_at__gt=database_now() - lately).count()


@within(ANSWER_S)
def leave(worker: Identity) -> None:
    """Say that a worker ends as it should: it holds nothing any more."""
    Worker.objects.filter(pk=worker.id).delete()


def database_now() -> datetime:
    """The one clock that all processes share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return now  # type: ignore[no-any-return]
