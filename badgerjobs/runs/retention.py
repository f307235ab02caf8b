"""Deletes what is older than anybody asked to keep: in batches that nobody waits for."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs import fleet
from badgerjobs.web.models import KeyedRequest

BATCH = 5000
KEYS_KEPT = timedelta(hours=24)

# Ids are made in the order of time, so the primary key finds the old ones. `%(after)s` steps over the dead entries that
# earlier batches left at the head of the index.
_PRUNE = """
WITH old AS (
    SELECT id FROM runs_run
    WHERE id > %(after)s AND id < %(before)s AND finished_at < %(cutoff)s
      AND state IN ('succeeded', 'failed', 'aborted', 'skipped')
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), tries AS (DELETE FROM runs_attempt USING old WHERE runs_attempt.run_id = old.id),
lines AS (DELETE FROM runs_logline USING old WHERE runs_logline.run_id = old.id),
gone AS (DELETE FROM runs_run USING old WHERE runs_run.id = old.id RETURNING runs_run.id)
SELECT count(*), max(id::text) FROM gone
"""


def prune(*, now: datetime | None = None, seconds: float = 5) -> int:
    """Delete runs that ended before `RETENTION_DAYS`, with their attempts and log. Returns how many runs that were.

    Ends when nothing old is left, or after so many seconds: what is left waits for the next time.
    """
    now = now or fleet.database_now()
    KeyedRequest.objects.filter(created_at__lt=now - KEYS_KEPT).delete()
    cutoff = now - timedelta(days=settings.RETENTION_DAYS)
    deadline = fleet.database_now() + timedelta(seconds=seconds)
    deleted, last = 0, UUID(int=0)
    while fleet.database_now() < deadline:
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
