"""Deletes what nobody asked to keep, by age or because its owner is gone: in batches that nobody waits for."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs import fleet, remains
from badgerjobs.web.retention import forget_keys

BATCH = 5000
# How long one tick may take: short enough for a worker that is told to end, and half of the time between two ticks.
HELPING_S = 5.0

# Ids are made in the order of time, so the primary key finds the old ones. `%(after)s` steps over the dead entries that
# earlier batches left at the head of the index.
_PRUNE = f"""
WITH old AS (
    SELECT id FROM runs_run
    WHERE id > %(after)s AND id < %(before)s AND finished_at < %(cutoff)s
      AND state IN ('succeeded', 'failed', 'aborted', 'skipped')
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
){remains.DELETE_OLD}
SELECT count(*), max(id::text) FROM gone
"""  # noqa: S608


def prune(*, now: datetime | None = None, seconds: float = HELPING_S) -> int:
    """Delete runs that ended before `RETENTION_DAYS`, and what the deleted left. Returns how many runs that were.

    Ends when nothing is left to delete, or after so many seconds: what is left waits for the next time. What the
    deleted left has half of them at most, so that neither keeps the other waiting.
    """
    began = fleet.database_now()
    now = now or began
    forget_keys(now=now)
    deleted = remains.prune_gone(until=began + timedelta(seconds=seconds / 2))
    return deleted + _prune_old(
        cutoff=now - timedelta(days=settings.RETENTION_DAYS), until=began + timedelta(seconds=seconds)
    )


def _prune_old(*, cutoff: datetime, until: datetime) -> int:
    deleted, last = 0, UUID(int=0)
    while fleet.database_now() < until:
        count, newest = _prune_batch(after=last, cutoff=cutoff)
        deleted += count
        if newest is None or count < BATCH:
            break
        last = newest
    return deleted


def _prune_batch(*, after: UUID, cutoff: datetime) -> tuple[int, UUID | None]:
    with connection.cursor() as cursor:
        cursor.execute(_PRUNE, {"after": after, "before": uuid7_floor(cutoff), "cutoff": cutoff, "limit": BATCH})
        count, newest = cursor.fetchone()
    return count, UUID(newest) if newest else None
