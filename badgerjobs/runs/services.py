"""What can be done with what runs. Each verb is called within a transaction of its caller's, or makes its own."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from badgerjobs.runs import dispatch, holding, incidents, lifecycle, making, pausing, remains
from badgerjobs.runs.models import FINAL, Cause, Run, Runnable, State
from badgerjobs.runs.owner_replays import why_not_replayed
from badgerjobs.runs.replanning import clock_of, plan_first, plan_on, replan
from badgerjobs.runs.schedules import RHYTHM_FIELDS, SCHEDULE_FIELDS, offset_ms
from badgerjobs.runs.worker import ring_after_commit
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application


@transaction.atomic
def add_runnable(runnable: Runnable, *, now: datetime) -> Runnable:
    """Save a new runnable and plan its first run."""
    _plan(runnable, now)
    pausing.begin(runnable, now=now)
    runnable.save(force_insert=True)
    return runnable


@transaction.atomic
def change_runnable(runnable: Runnable, *, before: Runnable, now: datetime, again: bool = True) -> None:
    """Save a changed runnable; plan anew only when its schedule differs from what it was before.

    Its row is locked, and `before` was read under that lock: a tick may have planned it since the clock was read.
    Where another rhythm begins at a moment that is past, it is run `again`, or only if it was not run yet.
    """
    now = clock_of(before, now)
    if any(getattr(runnable, field) != getattr(before, field) for field in SCHEDULE_FIELDS):
        waiting = Run.objects.of(runnable.pk).unfinished().values_list("id", flat=True)
        lifecycle.abort(waiting, now=now, reason="The schedule was changed.", running_too=False)
        _plan(runnable, now, before=before, again=again)
    if runnable.kind != before.kind:  # what waits does what its owner says now, and so does a next attempt
        Run.objects.of(runnable.pk).unfinished().update(kind=runnable.kind)
    pausing.change(runnable, before=before, now=now)
    # What dispatch writes is left out: a tick may have counted a run since this row was read.
    left_out = _DISPATCHED - ({"scheduled_runs"} if runnable.scheduled_runs != before.scheduled_runs else set())
    runnable.save(update_fields=[f.name for f in Runnable._meta.fields if f.name not in left_out])


_DISPATCHED = {"id", "runs_made", "scheduled_runs", "last_run_at", "created_at"}


def _plan(runnable: Runnable, now: datetime, before: Runnable | None = None, *, again: bool = True) -> None:
    """Set the anchor and the next run."""
    runnable.offset_ms = offset_ms(runnable)
    if before is None or any(getattr(runnable, field) != getattr(before, field) for field in RHYTHM_FIELDS):
        runnable.anchor = replace(runnable.schedule, anchor=None).anchored(now).start or now
        runnable.scheduled_runs = 0
        if before is None or again:
            plan_first(runnable, now)
        else:
            plan_on(runnable, before=before, now=now)
    else:
        replan(runnable, before=before, now=now)
        if before.next_run_at is None and runnable.next_run_at is None:
            return  # it ended when it was planned last
    runnable.planned_at = now
    # Twice the horizon: the request that plans it may take a while to commit.
    if runnable.next_run_at and runnable.next_run_at - now < 2 * dispatch.HORIZON:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [dispatch.CHANNEL])


def run_now(*, runnable: Runnable, cause: Cause, now: datetime, input: Any = None) -> Run:  # noqa: A002
    """Run it at once, beside its schedule and whether it is enabled or not. Raises Conflict when it is gone.

    `input` is JSON that this run is given, and its retries and replays; None: it does what its owner says.
    """
    try:
        with transaction.atomic():
            run = making.queue_now(runnable, cause=cause, now=now, given=input)
            ring_after_commit(run.queue)
    except Runnable.DoesNotExist:
        raise Conflict("It was deleted in the meantime.") from None
    return run


def abort_run(*, run: Run, by: audit.Actor, now: datetime) -> Run:
    """End a run that is not over. Raises Conflict for one that is."""
    with transaction.atomic():
        aborted = lifecycle.abort([run.pk], now=now, reason="Aborted on request.")
        run.refresh_from_db()
        if aborted:
            audit.record(by=by, action="run.abort", subject=name_of(run), now=now, application=run.application)
    if not aborted and run.state != "aborted":
        raise Conflict(f"This run has {run.state} already: there is nothing to abort.")
    return run


GONE = "What this run belonged to was deleted in the meantime: there is nothing to replay."


def replay_run(*, run: Run, by: audit.Actor, now: datetime, wait_s: float = 0) -> Run:
    """Run it once more, as a new run that names this one. Raises Conflict while it is not over, and when it is gone.

    It is due so many seconds from now. What was skipped was never a run: that is backfilled, and a Conflict too. So is
    what its owner refuses.
    """
    if run.state not in FINAL:
        raise Conflict(f"This run is {run.state}: it can be replayed when it is over, or aborted now.")
    if run.state == State.SKIPPED:
        raise Conflict(
            "This was skipped: there is no run to replay. A backfill runs the occurrences that it stands for."
        )
    with transaction.atomic():
        if not (replayed := making.replay([run.pk], now=now, step=wait_s, start=1)):
            raise Conflict(why_not_replayed(run) or GONE)
        [(new_id, queue)] = replayed
        ring_after_commit(queue)
        audit.record(by=by, action="run.replay", subject=name_of(run), now=now, application=run.application)
    return Run.objects.get(pk=new_id)


# So many runs one request may abort or replay, and so many in one transaction: workers wait for its locks.
MOST_AT_ONCE = 10_000
STEP = 1000


def replay_runs(
    *,
    application: Application,
    run_ids: Sequence[UUID],
    by: audit.Actor,
    now: datetime,
    per_minute: int | None = None,
) -> int:
    """Replay those of these runs that are over and whose owner is there, in their order. Returns how many new ones.

    Runs of another application are none of these. If `per_minute` is given, no more of them begin in a minute.
    """
    count, step_s = 0, 60 / per_minute if per_minute else 0
    owned = list(Run.objects.for_application(application).filter(pk__in=run_ids).values_list("pk", flat=True))
    if connection.in_atomic_block:
        # All steps in one transaction, of a caller's: of two such, one waits for the other, and not in a ring.
        holding.hold_owners(owned)
    for step in batched(sorted(owned), STEP):
        with transaction.atomic():
            replayed = making.replay(step, now=now, step=step_s, start=count)
            for queue in {queue for _, queue in replayed}:
                ring_after_commit(queue)
            count += len(replayed)
            if replayed:
                old = Run.objects.filter(pk__in=[new_id for new_id, _ in replayed])
                old_ids = [run.replay_of for run in old.only("replay_of") if run.replay_of]
                _record_many(old_ids, by=by, action="run.replay", now=now, application=application)
    return count


def abort_runs(*, application: Application, run_ids: Sequence[UUID], by: audit.Actor, now: datetime) -> int:
    """Abort those of these runs that are not over. Returns how many were.

    Runs of another application are none of these. What a worker is recording or claiming at this moment is passed
    over, so that neither waits for the other, and is looked at again.
    """
    left, count = list(run_ids), 0
    for _ in range(3):
        for step in batched(left, STEP):
            with transaction.atomic():
                owned = Run.objects.for_application(application).filter(pk__in=step)
                free = owned.select_for_update(skip_locked=True, of=("self",))
                aborted = lifecycle.abort(
                    list(free.values_list("pk", flat=True)), now=now, reason="Aborted on request."
                )
                count += len(aborted)
                if aborted:
                    _record_many(aborted, by=by, action="run.abort", now=now, application=application)
        owned = Run.objects.for_application(application).filter(pk__in=left)
        left = list(owned.unfinished().values_list("pk", flat=True))
        if not left:
            break
    return count


def batched(run_ids: Sequence[UUID], size: int) -> Iterator[list[UUID]]:
    """These ids, so many at a time."""
    return (list(run_ids[start : start + size]) for start in range(0, len(run_ids), size))


# An entry of the audit log that stands for many runs names so many of them.
MOST_NAMED = 20


def _record_many(run_ids: Collection[UUID], **entry: Any) -> None:
    """One entry for all of them: `2 runs`, and which. One alone is told by its name."""
    first = Run.objects.filter(pk__in=sorted(run_ids)[:MOST_NAMED]).select_related("runnable").order_by("pk")
    names = [name_of(run) for run in first]
    if len(run_ids) == 1:
        return audit.record(subject=names[0], **entry)
    if more := len(run_ids) - len(names):
        names.append(f"and {more:,} more")
    return audit.record(subject=f"{len(run_ids):,} runs", changes={"runs": [None, names]}, **entry)


def name_of(run: Run) -> str:
    """`reprice-catalogue 412`, as people call a run; by its id where what it belonged to is gone, or nobody counts."""
    return f"{run.runnable.name} {run.number or run.pk}" if run.runnable else str(run.pk)


@transaction.atomic
def delete_runnables(ids: Iterable[int]) -> None:
    """Delete runnables and what waits or runs of them. Their owners must be gone already.

    No list shows their results any more; those that are many are deleted by and by. The runnables go first: that waits
    for a tick which is making runs of them.
    """
    ids = list(ids)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM runs_runnable WHERE id = ANY(%s)", [ids])
    incidents.delete_of(ids)
    for runnable_id in ids:
        remains.leave("runnable_id", runnable_id, at_once=remains.AT_ONCE // len(ids))


@transaction.atomic
def delete_application(*, application: Application) -> None:
    """Delete an application with all that it owns; its runs and results as those of a runnable.

    Raises DoesNotExist when it is gone. Its tokens open nothing from the moment this is committed.
    """
    # What belongs to it comes before it: who records that a run of its failed holds the runnable, and needs the
    # application for the incident.
    holding.hold_of_application(application.pk)
    # Who makes something of it at this moment commits first, or not at all.
    held = Application.objects.select_for_update().get(pk=application.pk)
    held.delete()
    remains.leave("application_id", application.pk, at_once=remains.AT_ONCE)
