"""What waits or runs of many runnables at once: two statements, and no walk through any history."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from badgerjobs.runs.models import Run
from badgerjobs.workspaces.models import Application

# In the words of three partial indexes, none of which holds a run that is over.
_IDS = """
SELECT run.id FROM unnest(%(ids)s::bigint[]) AS owner(id), LATERAL (
    SELECT id FROM (
        SELECT id FROM runs_run WHERE runnable_id = owner.id AND state IN ('queued', 'running') AND NOT held
        UNION ALL
        (SELECT id FROM runs_run WHERE runnable_id = owner.id AND held ORDER BY id LIMIT %(most)s)
        UNION ALL
        SELECT id FROM runs_run WHERE runnable_id = owner.id AND state IN ('scheduled', 'retrying')
    ) unfinished ORDER BY id LIMIT %(most)s
) run
"""


def unfinished_of(runnable_ids: Iterable[int], *, application: Application, most: int) -> dict[int, list[Run]]:
    """Runnable → its first so many runs that are not over, oldest first; absent where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_IDS, {"ids": list(runnable_ids), "most": most})
        ids: list[UUID] = [run_id for (run_id,) in cursor.fetchall()]
    found: dict[int, list[Run]] = {}
    for run in Run.objects.for_application(application).filter(pk__in=ids).order_by("id") if ids else ():
        found.setdefault(run.runnable_id or 0, []).append(run)
    return found
