"""Takes back what is in the hands of workers that are gone."""

from uuid import UUID

from django.db import connection, transaction

from badgerjobs.runs import consequences, fleet, lifecycle
from badgerjobs.runs.models import Beat, Worker

# Whose runs are given up for lost now: they are locked before their runs.
_LOSING = """
SELECT DISTINCT l.runnable_id FROM runs_run l
WHERE l.state = 'running' AND l.rescues >= %s AND l.runnable_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM runs_worker w WHERE w.id = l.worker AND w.seen_at > %s)
"""


@transaction.atomic
def rescue() -> set[UUID]:
    """Queue again the runs of workers not seen for a lease, and forget processes not seen for much longer."""
    now = fleet.database_now()
    with connection.cursor() as cursor:
        cursor.execute(_LOSING, [lifecycle.RESCUES, now - fleet.LEASE])
        losing = [runnable_id for (runnable_id,) in cursor.fetchall()]
    held = consequences.hold(losing) if losing else {}
    rescued = lifecycle.rescue(unseen_since=now - fleet.LEASE, now=now)
    if held:
        consequences.follow(held, consequences.of_failed(rescued, now=now))
    for process in (Worker, Beat):
        process.objects.filter(seen_at__lt=now - fleet.FORGET).delete()
    return rescued
