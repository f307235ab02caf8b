"""What the deleted leave behind: no list shows it any more, and it is deleted in batches that nobody waits for."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Exists

from badgerjobs.runs import fleet
from badgerjobs.runs.beside import Owner, kept_beside
from badgerjobs.runs.models import Gone, Run
from badgerjobs.runs.querysets import UNFINISHED

# How many finished runs go with the request that deletes their owner. Most owners have no more.
AT_ONCE = 1000
BATCH = 5000
LAST = UUID(int=(1 << 128) - 1)

# Deletes the runs of `old`, a list of ids that is set before it, with what belongs to them.
DELETE_OLD = """
, tries AS (DELETE FROM runs_attempt USING old WHERE runs_attempt.run_id = old.id),
lines AS (DELETE FROM runs_logline USING old WHERE runs_logline.run_id = old.id),
gone AS (DELETE FROM runs_run USING old WHERE runs_run.id = old.id RETURNING runs_run.id)
"""

_UNFINISHED = f"SELECT id FROM runs_run WHERE {{owner}} = %(id)s AND {UNFINISHED} FOR UPDATE"  # noqa: S608

# The newest first: lists, which begin with them, need not step over them for long.
_BATCH = f"""
WITH old AS (
    SELECT id FROM runs_run WHERE {{owner}} = %(id)s AND id < %(before)s
    ORDER BY id DESC LIMIT %(limit)s FOR UPDATE SKIP LOCKED
){DELETE_OLD}
SELECT count(*), min(id::text) FROM gone
"""  # noqa: S608


def leave(owner: Owner, its_id: int, *, at_once: int) -> None:
    """Delete the unfinished runs of an owner that was deleted in this transaction, and the newest of the others.

    What is left is noted down for `prune_gone`. The first statement waits for who is writing, and the one after it sees
    what they wrote: runs that they finished are history, and the attempts that they recorded go with their run.
    """
    unfinished = _UNFINISHED.format(owner=owner)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({unfinished}) AS held", {"id": its_id})  # noqa: S608
        cursor.execute(f"WITH old AS ({unfinished}){DELETE_OLD} SELECT count(*) FROM gone", {"id": its_id})  # noqa: S608
    _delete_batch(owner, its_id, before=LAST, limit=at_once)
    Gone.objects.create(**{owner: its_id})


_ALL_UNFINISHED = f"""
SELECT id FROM runs_run WHERE runnable_id = ANY(%(ids)s) AND {UNFINISHED} ORDER BY id FOR UPDATE
"""  # noqa: S608


def leave_all(runnable_ids: Sequence[int]) -> None:
    """The same for many runnables at once, in three statements; all their finished runs are left for `prune_gone`."""
    ids = list(runnable_ids)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({_ALL_UNFINISHED}) AS held", {"ids": ids})  # noqa: S608
        cursor.execute(f"WITH old AS ({_ALL_UNFINISHED}){DELETE_OLD} SELECT count(*) FROM gone", {"ids": ids})  # noqa: S608
    Gone.objects.bulk_create(Gone(runnable_id=runnable_id) for runnable_id in ids)


def prune_gone(*, until: datetime) -> int:
    """Delete what is left of the deleted, as far as that goes by then. Returns how many runs that were."""
    return sum(_prune(gone, until) for gone in Gone.objects.order_by("id"))


def _prune(gone: Gone, until: datetime) -> int:
    owner: Owner = "runnable_id" if gone.application_id is None else "application_id"
    its_id = getattr(gone, owner)
    deleted, before = 0, LAST
    while fleet.database_now() < until:
        count, oldest = _delete_batch(owner, its_id, before=before, limit=BATCH)
        deleted += count
        if oldest is None or count < BATCH:
            # Unless somebody else holds some of them just now.
            if _is_nothing_beside(owner, its_id, until):
                Gone.objects.filter(~Exists(Run.objects.filter(**{owner: its_id})), pk=gone.pk).delete()
            break
        before = oldest
    return deleted


def _is_nothing_beside(owner: Owner, its_id: int, until: datetime) -> bool:
    """Delete what other apps kept of its runs, as far as that goes by then. Returns whether all of it is gone."""
    for beside in kept_beside():
        while beside.leave(owner, its_id, BATCH) == BATCH:
            if fleet.database_now() >= until:
                return False
    return True


def _delete_batch(owner: Owner, its_id: int, *, before: UUID, limit: int) -> tuple[int, UUID | None]:
    with connection.cursor() as cursor:
        cursor.execute(_BATCH.format(owner=owner), {"id": its_id, "before": before, "limit": limit})
        count, oldest = cursor.fetchone()
    return count, UUID(oldest) if oldest else None
