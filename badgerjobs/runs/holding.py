"""Runs that wait until the one before them is over: which of them may go now.

Who is held, is decided where a run is made, under the lock of its runnable; who is let in, too. So of two that would
overlap one always sees the other, whichever process makes them.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from badgerjobs.runs.models import Runnable

# Whether a run of the runnable `o`, which is locked, has to wait until the one before it is over. In the words of the
# partial indexes.
WAITS = """
    o.overlap <> 'allow' AND (
        EXISTS (SELECT FROM runs_run a WHERE a.runnable_id = o.id AND a.state IN ('queued', 'running') AND NOT a.held)
        OR EXISTS (SELECT FROM runs_run h WHERE h.runnable_id = o.id AND h.held))"""

# Those that nobody else has locked, in no order: nobody is waited for.
HOLD_FREE = "SELECT id FROM runs_runnable WHERE id = ANY(%s) FOR NO KEY UPDATE SKIP LOCKED"

_OWNERS = """
SELECT id FROM runs_runnable
WHERE id IN (SELECT runnable_id FROM runs_run WHERE id = ANY(%s)) ORDER BY id FOR NO KEY UPDATE
"""


def hold_owners(run_ids: Sequence[UUID]) -> None:
    """Lock the runnables of these runs, in one order, so that two who do never wait for each other in a ring.

    Dispatch passes over them for as long.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS, [list(run_ids)])


def hold_of_application(application_id: int) -> None:
    """Lock all runnables of an application that is being deleted, and before them who owns them, as everywhere."""
    owners = [found.related_model for found in Runnable._meta.related_objects if found.one_to_one]
    model: Any  # mypy takes what is related for an object
    for model in (*owners, Runnable):
        rows = model.objects.filter(application_id=application_id).order_by("pk").select_for_update()
        list(rows.values_list("pk"))


_AWAITED = """
SELECT id FROM unnest(%s::bigint[]) AS o(id) WHERE EXISTS (SELECT FROM runs_run WHERE runnable_id = o.id AND held)
"""

# Those of which a run waits. One that somebody else has locked is met again with the next sweep.
_LOCK = """
SELECT o.id FROM runs_runnable o
WHERE o.id = ANY(%s) AND EXISTS (SELECT FROM runs_run WHERE runnable_id = o.id AND held)
ORDER BY o.id FOR NO KEY UPDATE SKIP LOCKED
"""

_ADMIT = """
UPDATE runs_run SET held = false
WHERE held AND id IN (
    SELECT (SELECT id FROM runs_run WHERE runnable_id = o.id AND held ORDER BY id LIMIT 1)
    FROM unnest(%s::bigint[]) AS o(id)
    WHERE NOT EXISTS (
        SELECT FROM runs_run a WHERE a.runnable_id = o.id AND a.state IN ('queued', 'running') AND NOT a.held))
RETURNING queue
"""

# A loose index scan: it costs as much as there are runnables, however many runs of each wait.
_FREE = """
WITH RECURSIVE holding(id) AS (
    (SELECT runnable_id FROM runs_run WHERE held ORDER BY runnable_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.runnable_id FROM runs_run r WHERE r.held AND r.runnable_id > holding.id
            ORDER BY r.runnable_id LIMIT 1)
    FROM holding WHERE holding.id IS NOT NULL
)
SELECT id FROM holding
WHERE id IS NOT NULL AND NOT EXISTS (
    SELECT FROM runs_run a WHERE a.runnable_id = holding.id AND a.state IN ('queued', 'running') AND NOT a.held)
LIMIT %s
"""


def admit(runnable_ids: Collection[int]) -> set[str]:
    """Let the first waiting run of each go, if nothing of its runnable is active. Returns the queues they are in.

    One statement when none waits, and no transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(_AWAITED, [list(runnable_ids)])
        if not cursor.fetchall():
            return set()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, [list(runnable_ids)])
        locked = [runnable_id for (runnable_id,) in cursor.fetchall()]
        if not locked:
            return set()
        # A statement of its own: this one sees what was committed before we got the locks.
        cursor.execute(_ADMIT, [locked])
        return {queue for (queue,) in cursor.fetchall()}


def sweep(limit: int = 1000) -> set[str]:
    """The same for all there are: what ended without anybody saying so was aborted, or its worker died."""
    with connection.cursor() as cursor:
        cursor.execute(_FREE, [limit])
        free = [runnable_id for (runnable_id,) in cursor.fetchall()]
    return admit(free) if free else set()
