"""Deletes what is kept of syncs when it is too old, or what it belonged to is gone; and old counts of reads with it."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import connection

from badgerjobs.runs.beside import Beside, Owner

# Counts of reads are few, and worth a look back over a year.
READS_DAYS = 400

# By the index of application and id, whose order is that of time. What waits belongs to a run that is not over, unless
# that was aborted or lost.
_FORGET = """
WITH old AS (
    SELECT sync.id, kept.application_id
    FROM unnest(%(applications)s::bigint[], %(befores)s::uuid[], %(cutoffs)s::timestamptz[])
        AS kept (application_id, before, cutoff)
    CROSS JOIN LATERAL (
        SELECT s.id FROM tasks_keysync s
        WHERE s.application_id = kept.application_id AND (s.application_id, s.id) < (kept.application_id, kept.before)
          AND (s.finished_at < kept.cutoff OR s.finished_at IS NULL AND NOT EXISTS (
              SELECT FROM runs_run r
              WHERE r.id = s.run_id AND r.state IN ('queued', 'running', 'scheduled', 'retrying')))
        ORDER BY s.application_id, s.id LIMIT %(each)s FOR UPDATE OF s SKIP LOCKED
    ) AS sync
), gone AS (DELETE FROM tasks_keysync USING old WHERE tasks_keysync.id = old.id)
SELECT application_id FROM old GROUP BY application_id HAVING count(*) = %(each)s
"""

_FORGET_READS = f"""
DELETE FROM tasks_cachereads
WHERE application_id = ANY(%(applications)s) AND hour < %(now)s - interval '{READS_DAYS} days'
"""  # noqa: S608

_LEAVE = """
WITH left_over AS (
    SELECT id FROM tasks_keysync WHERE {owner} = %(id)s ORDER BY id DESC LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
DELETE FROM tasks_keysync USING left_over WHERE tasks_keysync.id = left_over.id
"""


# A loose index scan over the runs of which keys wait: it costs as much as there are such runs, however many keys wait.
_END = """
WITH RECURSIVE waiting(run_id) AS (
    (SELECT run_id FROM tasks_keysync WHERE state = 'waiting' ORDER BY run_id LIMIT 1)
    UNION ALL
    SELECT (SELECT s.run_id FROM tasks_keysync s WHERE s.state = 'waiting' AND s.run_id > waiting.run_id
            ORDER BY s.run_id LIMIT 1)
    FROM waiting WHERE waiting.run_id IS NOT NULL
), untried AS (
    SELECT s.id, r.finished_at, coalesce(nullif(r.error_class, ''), r.state) AS error_class, r.error
    FROM waiting JOIN runs_run r ON r.id = waiting.run_id AND r.state IN ('succeeded', 'failed', 'aborted')
    JOIN tasks_keysync s ON s.run_id = r.id AND s.state = 'waiting'
    LIMIT %(limit)s FOR UPDATE OF s SKIP LOCKED
)
UPDATE tasks_keysync s
SET state = 'failed', finished_at = untried.finished_at, error_class = untried.error_class, error = untried.error
FROM untried WHERE s.id = untried.id
"""
ENDED_AT_ONCE = 10_000


def end() -> None:
    """Fail the keys that wait in runs that are over: nobody will fetch them."""
    with connection.cursor() as cursor:
        cursor.execute(_END, {"limit": ENDED_AT_ONCE})


def forget(given: Mapping[str, Any]) -> Collection[int]:
    """Delete a batch of what is too old. Returns the applications that may have more."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_READS, given)
        cursor.execute(_FORGET, given)
        return {application_id for (application_id,) in cursor.fetchall()}


def leave(owner: Owner, its_id: int, limit: int) -> int:
    """Delete up to so many syncs of a task or an application that was deleted. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_LEAVE.format(owner=owner), {"id": its_id, "limit": limit})
        return int(cursor.rowcount)


SYNCS = Beside(end, forget, leave)
