"""Deletes what a definition wants gone with its end: the run, what descends from it and is over, and their logs."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from badgerjobs.lib.ids import derived
from badgerjobs.runs import remains
from badgerjobs.runs.models import Run

# A child that its parent's iteration would look for, if it were repeated: it stays while that may be.
IS_AWAITED = """b.parent_place IS NOT NULL AND EXISTS (
    SELECT FROM runs_run p WHERE p.id = b.parent_id AND p.iteration = b.parent_iteration
      AND p.state IN ('scheduled', 'queued', 'running', 'retrying'))
"""


def hook_run_of(run_id: UUID) -> UUID:
    """The id of the run that calls the hooks of this one when it is over."""
    return derived(run_id, "hooks")


def still_to_hear(run_ids: Collection[UUID], *, but: UUID | None = None) -> set[UUID]:
    """Those of these whose hooks are still to be called, by another run than this one."""
    by_hook = {hook_run_of(run_id): run_id for run_id in run_ids}
    found = Run.objects.unfinished().filter(pk__in=by_hook.keys() - {but}).order_by()
    return {by_hook[pk] for pk in found.values_list("pk", flat=True)}


_TREE = f"""
WITH RECURSIVE tree(id) AS (
    SELECT run_id FROM tasks_backgroundrun WHERE run_id = %(run)s AND application_id = %(application)s
    UNION
    SELECT b.run_id FROM tree JOIN tasks_backgroundrun b ON b.parent_id = tree.id
    WHERE b.application_id = %(application)s
)
SELECT r.id, {IS_AWAITED} FROM tree JOIN tasks_backgroundrun b ON b.run_id = tree.id JOIN runs_run r ON r.id = tree.id
WHERE r.application_id = %(application)s AND r.state IN ('succeeded', 'failed', 'aborted')
"""  # noqa: S608
# Who ends the parent at this moment has it locked, and may have looked already for the children that were kept for it.
_PARENT = """
SELECT id FROM runs_run WHERE id = (SELECT parent_id FROM tasks_backgroundrun WHERE run_id = %s)
    AND state IN ('scheduled', 'queued', 'running', 'retrying') FOR SHARE SKIP LOCKED
"""
_HOLD = "SELECT id FROM runs_run WHERE id = ANY(%s) ORDER BY id FOR UPDATE SKIP LOCKED"
_CLEAN = f"""
WITH old AS (SELECT id FROM unnest(%s::uuid[]) AS old(id)),
rows AS (DELETE FROM tasks_backgroundrun USING old WHERE tasks_backgroundrun.run_id = old.id){remains.DELETE_OLD}
SELECT count(*) FROM gone
"""  # noqa: S608


@transaction.atomic
def clean(run_id: UUID, *, application_id: int, by: UUID | None = None, takes_it: bool = False) -> bool:
    """Delete them all, and with it the run `by` which it is done. Returns False for later: somebody holds the task now.

    Or hooks are still to be called of what would be deleted. What descends from it and is not over stays, and goes on.
    A child that its parent may look for stays; when that is over, a run is made that deletes it.
    """
    tree = dict(_rows(_TREE, {"run": run_id, "application": application_id}))
    if tree.get(run_id):
        return bool(_rows(_PARENT, [run_id]))
    those = [one for one, is_awaited in tree.items() if not is_awaited]
    if still_to_hear(those, but=by):
        return False
    held = {one for (one,) in _rows(_HOLD, [those])}
    if run_id not in held:
        return run_id not in tree
    _rows(_CLEAN, [[*held, by] if by and takes_it else [*held]])
    return True


def _rows(statement: str, values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
