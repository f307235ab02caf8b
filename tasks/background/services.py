"""What can be done with background tasks. Each verb is called within a transaction of its caller's, or makes its own.

Those that code calls take the application first; with `by`, who asks for it, it stands in the audit log.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from badgerjobs.lib.storable import cleaned
from badgerjobs.runs import lifecycle, remains
from badgerjobs.runs.models import Cause
from badgerjobs.runs.services import batched
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application, Via
from tasks.background import errors, reading
from tasks.background.cleanup import IS_AWAITED, still_to_hear
from tasks.background.errors import BackgroundTaskError
from tasks.background.following import sparing_children
from tasks.background.preparing import Asked, Parent
from tasks.background.refusing import id_in
from tasks.background.snapshot import BackgroundTask
from tasks.background.triggering import Triggered, trigger_all
from tasks.models import BackgroundRun

__all__ = ["Asked", "Parent", "Triggered", "abort", "abort_tasks", "delete", "delete_tasks", "trigger", "trigger_all"]

ABORTED = "Task aborted."
CANNOT_ABORT = "Cannot abort a task that is not pending or running!"
CANNOT_DELETE = "Cannot delete a task that is not over: abort it first."
STILL_NEEDED = "Cannot delete a task yet whose hooks are still to be called, or whose parent may still look for it."
LONGEST_MESSAGE = 1000
# So many are changed in one transaction of ours: workers wait for its locks.
STEP = 1000
# An entry of the audit log that stands for many names so many.
MOST_NAMED = 20


def trigger(  # noqa: PLR0913  what is triggered, for whom, and when
    application: Application,
    definition: Any,
    input: Any = None,  # noqa: A002  it is called so
    *,
    name: str = "",
    delay: float = 0,
    parent: BackgroundTask | UUID | str | None = None,
    parent_iteration: int | None = None,
    parent_place: int | None = None,
    by: audit.Actor | None = None,
    public_only: bool = False,
    holds_parent: bool = True,
    now: datetime | None = None,
) -> BackgroundTask:
    """Trigger a run of a definition, by its id or by what was decorated, after `delay` seconds. Returns it.

    While one with the same key of de-duplication is not over, that one is returned. A child is told by the iteration of
    its parent and its place there: the same one is not made twice. `public_only` is for those who are not code; what
    `holds_parent` is, `trigger_all` tells.

    Raises BackgroundTaskError: for an unknown definition, a hook that refuses, a delay or an input that is wrong.
    """
    now = now or timezone.now()
    asked = Asked(
        definition=definition,
        input=input,
        name=name,
        delay=delay,
        parent=None if parent is None else Parent(id_in(parent), parent_iteration, parent_place),
        created_by=creator_of(by) if by else None,
    )
    with transaction.atomic():
        cause = Cause.MANUAL if by else Cause.CODE
        [made] = trigger_all(
            application, [asked], now=now, cause=cause, public_only=public_only, holds_parents=holds_parent
        )
        if isinstance(made, BackgroundTaskError):
            raise made
        if by and not made.was_there:
            audit.record(by=by, action="background.trigger", subject=made.name, now=now, application=application)
    return made


def creator_of(by: audit.Actor) -> dict[str, str]:
    """Who asks for something, as a task remembers it."""
    types = {Via.PANEL: "admin", Via.API: "api-key"}
    return {"id": by.token or by.name, "displayName": by.name, "type": types.get(by.via, "system")}


def abort(  # noqa: PLR0913
    application: Application,
    id: BackgroundTask | UUID | str,  # noqa: A002  it is called so
    *,
    message: str = "",
    cascade: bool = True,
    by: audit.Actor | None = None,
    now: datetime | None = None,
) -> BackgroundTask:
    """End a task that is pending or running, at once and for good; and, unless told otherwise, what descends from it.

    Raises BackgroundTaskError: for one that is not there, or is over.
    """
    with transaction.atomic():
        found = reading.get(application, id)
        if not abort_tasks(application=application, ids=[found.id], message=message, cascade=cascade, by=by, now=now):
            raise BackgroundTaskError(errors.CANNOT_ABORT, CANNOT_ABORT, {"id": str(found.id)})
        return reading.get(application, found.id)


# Those that descend from them are held too, the oldest first, as a parent is older than its children: of two that abort
# the same ones at once, one waits for the other, and not in a ring.
_HOLD = """
WITH RECURSIVE tree(id) AS (
    SELECT run_id FROM tasks_backgroundrun WHERE run_id = ANY(%(ids)s) AND application_id = %(application)s
    UNION
    SELECT b.run_id FROM tree JOIN tasks_backgroundrun b ON b.parent_id = tree.id
    WHERE %(cascade)s AND b.application_id = %(application)s
)
SELECT r.id FROM runs_run r WHERE r.id IN (SELECT id FROM tree) AND r.application_id = %(application)s
    AND r.state IN ('scheduled', 'queued', 'running', 'retrying')
ORDER BY r.id FOR NO KEY UPDATE
"""


def abort_tasks(  # noqa: PLR0913
    *,
    application: Application,
    ids: Sequence[UUID],
    message: str = "",
    cascade: bool = True,
    by: audit.Actor | None = None,
    now: datetime | None = None,
) -> int:
    """Abort those of these that are not over, and what descends from them. Returns how many of these it were.

    Tasks of another application are none of these.
    """
    now, count = now or timezone.now(), 0
    reason = cleaned(message.strip())[:LONGEST_MESSAGE] or ABORTED
    for step in batched(sorted(set(ids)), STEP):
        with transaction.atomic(), sparing_children(spares=not cascade):
            with connection.cursor() as cursor:
                cursor.execute(_HOLD, {"ids": step, "application": application.pk, "cascade": cascade})
                held = {run_id for (run_id,) in cursor.fetchall()}
            aborted = lifecycle.abort([one for one in step if one in held], now=now, reason=reason)
            count += len(aborted)
            if by and aborted:
                _record(aborted, by=by, action="background.abort", now=now, application=application)
    return count


def delete(
    application: Application,
    id: BackgroundTask | UUID | str,  # noqa: A002  it is called so
    *,
    by: audit.Actor | None = None,
    now: datetime | None = None,
) -> None:
    """Delete a task that is over, with its logs. Its children stay.

    Raises BackgroundTaskError: for one that is not there, is not over, or is still needed.
    """
    with transaction.atomic():
        found = reading.get(application, id)
        if not delete_tasks(application=application, ids=[found.id], by=by, now=now):
            why = STILL_NEEDED if found.is_over else CANNOT_DELETE
            raise BackgroundTaskError(errors.CANNOT_DELETE, why, {"id": str(found.id)})


_DELETE = f"""
WITH old AS (
    SELECT r.id FROM runs_run r JOIN tasks_backgroundrun b ON b.run_id = r.id
    WHERE r.id = ANY(%s) AND b.application_id = %s AND r.state IN ('succeeded', 'failed', 'aborted')
      AND NOT ({IS_AWAITED})
    ORDER BY r.id FOR UPDATE OF r
), rows AS (DELETE FROM tasks_backgroundrun USING old WHERE tasks_backgroundrun.run_id = old.id){remains.DELETE_OLD}
SELECT id FROM gone
"""  # noqa: S608


def delete_tasks(
    *, application: Application, ids: Sequence[UUID], by: audit.Actor | None = None, now: datetime | None = None
) -> int:
    """Delete those of these that are over, with their logs. Returns how many. Their children stay.

    So do those whose hooks are still to be called, and children that their parent's iteration may look for.
    """
    now, count = now or timezone.now(), 0
    for step in batched(sorted(set(ids)), STEP):
        with transaction.atomic():
            names = _names(step, application) if by else {}
            with connection.cursor() as cursor:
                cursor.execute(_DELETE, [sorted(set(step) - still_to_hear(step)), application.pk])
                gone = {run_id for (run_id,) in cursor.fetchall()}
            count += len(gone)
            if by and gone:
                _record(gone, by=by, action="background.delete", now=now, application=application, names=names)
    return count


def _names(ids: Collection[UUID], application: Application) -> dict[UUID, str]:
    rows = BackgroundRun.objects.for_application(application).filter(pk__in=ids)
    return dict(rows.order_by("pk").values_list("pk", "name"))


def _record(
    ids: Collection[UUID], *, application: Application, names: dict[UUID, str] | None = None, **entry: Any
) -> None:
    """One entry for all of them: `2 background tasks`, and which. One alone is told by its name."""
    named = sorted(ids)[:MOST_NAMED]
    called = _names(named, application) if names is None else names
    told = [called[one] for one in named if one in called]
    if len(ids) == 1:
        audit.record(subject="".join(told), application=application, **entry)
        return
    if more := len(ids) - len(told):
        told.append(f"and {more:,} more")
    changes = {"background tasks": [None, told]}
    audit.record(subject=f"{len(ids):,} background tasks", application=application, changes=changes, **entry)
