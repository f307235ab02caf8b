"""What can be done with what runs. Each verb is called within a transaction of its caller's, or makes its own."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.db import connection, transaction

from badgerjobs.runs import dispatch, lifecycle, remains
from badgerjobs.runs.models import Cause, Run, Runnable, State
from badgerjobs.runs.schedules import RHYTHM_FIELDS, SCHEDULE_FIELDS
from badgerjobs.runs.worker import ring_after_commit
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.models import Application


@transaction.atomic
def add_runnable(runnable: Runnable, *, now: datetime) -> Runnable:
    """Save a new runnable and plan its first run."""
    _plan(runnable, now)
    runnable.save(force_insert=True)
    return runnable


@transaction.atomic
def change_runnable(runnable: Runnable, *, before: Runnable, now: datetime) -> None:
    """Save a changed runnable; plan anew only when its schedule differs from what it was before."""
    if any(getattr(runnable, field) != getattr(before, field) for field in SCHEDULE_FIELDS):
        waiting = Run.objects.of(runnable.pk).unfinished().values_list("id", flat=True)
        lifecycle.abort(waiting, now=now, reason="The schedule was changed.", running_too=False)
        _plan(runnable, now, before=before)
    # What dispatch writes is left out: a tick may have counted a run since this row was read.
    runnable.save(update_fields=[f.name for f in Runnable._meta.fields if f.name not in _DISPATCHED])


def _resumed(runnable: Runnable, now: datetime) -> datetime | None:
    """The next run of what was switched off and on again: a series keeps its rhythm, and once means once."""
    if runnable.schedule.is_recurring:
        return runnable.schedule.next_after(now)
    if not runnable.run_at or not runnable.last_run_at or runnable.last_run_at < runnable.run_at:
        return runnable.schedule.first(now)
    was_aborted = Run.objects.of(runnable.pk).filter(occurrence__gte=runnable.run_at, state=State.ABORTED).exists()
    return runnable.schedule.first(now) if was_aborted else None


_DISPATCHED = {"id", "runs_made", "last_run_at", "created_at"}


def _plan(runnable: Runnable, now: datetime, before: Runnable | None = None) -> None:
    """Set the anchor and the next run. What is due at once is due now: no moment is an occurrence twice."""
    if before is None or any(getattr(runnable, field) != getattr(before, field) for field in RHYTHM_FIELDS):
        runnable.anchor = replace(runnable.schedule, anchor=None).anchored(now).start or now
        first = runnable.schedule.first(now)
    else:
        first = _resumed(before, now)
    runnable.next_run_at = max(first, now) if first and runnable.enabled else None
    # Twice the horizon: the request that plans it may take a while to commit.
    if runnable.next_run_at and runnable.next_run_at - now < 2 * dispatch.HORIZON:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [dispatch.CHANNEL])


def run_now(*, runnable: Runnable, cause: Cause, now: datetime) -> Run:
    """Run it at once, beside its schedule and whether it is enabled or not. Raises Conflict when it is gone."""
    try:
        with transaction.atomic():
            run = lifecycle.queue_now(runnable, cause=cause, now=now)
            ring_after_commit(run.queue)
    except Runnable.DoesNotExist:
        raise Conflict("It was deleted in the meantime.") from None
    return run


def abort_run(*, run: Run, now: datetime) -> Run:
    """End a run that is not over. Raises Conflict for one that is."""
    with transaction.atomic():
        aborted = lifecycle.abort([run.pk], now=now, reason="Aborted on request.")
        run.refresh_from_db()
    if not aborted and run.state != "aborted":
        raise Conflict(f"This run has {run.state} already: there is nothing to abort.")
    return run


@transaction.atomic
def delete_runnables(ids: Iterable[int]) -> None:
    """Delete runnables and what waits or runs of them. Their owners must be gone already.

    No list shows their results any more; those that are many are deleted by and by. The runnables go first: that waits
    for a tick which is making runs of them.
    """
    ids = list(ids)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM runs_runnable WHERE id = ANY(%s)", [ids])
    for runnable_id in ids:
        remains.leave("runnable_id", runnable_id, at_once=remains.AT_ONCE // len(ids))


@transaction.atomic
def delete_application(*, application: Application) -> None:
    """Delete an application with all that it owns; its runs and results as those of a runnable.

    Raises DoesNotExist when it is gone. Its tokens open nothing from the moment this is committed.
    """
    # Who makes something of it at this moment commits first, or not at all.
    held = Application.objects.select_for_update().get(pk=application.pk)
    held.delete()
    remains.leave("application_id", application.pk, at_once=remains.AT_ONCE)
