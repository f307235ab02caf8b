"""What can be done with what runs. Each verb is called within a transaction of its caller's, or makes its own."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.db import connection, transaction

from badgerjobs.runs import dispatch, lifecycle
from badgerjobs.runs.models import Cause, Run, Runnable
from badgerjobs.runs.worker import ring_after_commit
from badgerjobs.web.problems import Conflict

# What a change of these does: waiting runs are aborted, and the next one is planned anew.
SCHEDULE_FIELDS = ("run_at", "run_every", "cron", "preset", "time_zone", "enabled")


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
        _plan(runnable, now, ran_before=before.last_run_at if runnable.run_at == before.run_at else None)
    # What dispatch writes is left out: a tick may have counted a run since this row was read.
    runnable.save(update_fields=[f.name for f in Runnable._meta.fields if f.name not in _DISPATCHED])


_DISPATCHED = {"id", "runs_made", "last_run_at", "created_at"}


def _plan(runnable: Runnable, now: datetime, ran_before: datetime | None = None) -> None:
    """Set the anchor and the next run. What is due at once is due now: no moment is an occurrence twice."""
    schedule = runnable.schedule
    runnable.anchor = replace(schedule, anchor=None).anchored(now).start or now
    first = schedule.first(now) if runnable.enabled else None
    if first and not schedule.is_recurring and ran_before and ran_before >= first:
        first = None  # once means once, also for a job that was switched off and on again
    runnable.next_run_at = max(first, now) if first else None
    if runnable.next_run_at and runnable.next_run_at - now < dispatch.HORIZON:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [dispatch.CHANNEL])


def run_now(*, runnable: Runnable, cause: Cause, now: datetime) -> Run:
    """Run it at once, beside its schedule and whether it is enabled or not."""
    with transaction.atomic():
        run = lifecycle.queue_now(runnable, cause=cause, now=now)
        ring_after_commit(run.queue)
    return run


def abort_run(*, run: Run, now: datetime) -> Run:
    """End a run that is not over. Raises Conflict for one that is."""
    with transaction.atomic():
        aborted = lifecycle.abort([run.pk], now=now, reason="Aborted on request.")
        run.refresh_from_db()
    if not aborted and run.state != "aborted":
        raise Conflict(f"This run has {run.state} already: there is nothing to abort.")
    return run


_DELETE = """
WITH gone AS (DELETE FROM runs_run WHERE runnable_id = ANY(%(ids)s) RETURNING id),
     tries AS (DELETE FROM runs_attempt WHERE runnable_id = ANY(%(ids)s))
DELETE FROM runs_logline USING gone WHERE runs_logline.run_id = gone.id
"""


@transaction.atomic
def delete_runnables(ids: Iterable[int]) -> None:
    """Delete runnables with all their runs, results and log lines. Their owners must be gone already.

    The runnables go first: that waits for a tick that is dispatching them, whose runs are then seen and deleted too.
    """
    ids = list(ids)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM runs_runnable WHERE id = ANY(%s)", [ids])
        cursor.execute(_DELETE, {"ids": ids})
