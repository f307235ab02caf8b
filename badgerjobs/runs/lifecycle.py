"""Every change of a run's state, and nothing else changes one. New runs are made in `making.py`.

Each verb is one statement over a set, and a compare-and-swap: it names the state it expects, and the ids that do not
come back were taken by somebody else, who now answers for them. docs/run-life-cycle.md draws the states.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs import following, picking, quotas
from badgerjobs.runs.changes import Finished, Moved, PutOff, columns_of, columns_of_next
from badgerjobs.runs.explain import log_moves, log_retries, log_said
from badgerjobs.runs.following import Ended
from badgerjobs.runs.holding import HOLD_FREE, WAITS
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import FINAL, State
from badgerjobs.runs.picking import PICKED, WAITED
from badgerjobs.runs.quotas import Rooms
from badgerjobs.runs.turns import Most, Share

# How often a run may be taken back from workers that died before it is held to be what kills them.
RESCUES = 5


# Those whose runnable is locked by somebody else wait a little longer.
_WAKE = f"""
UPDATE runs_run r SET state = 'queued', held = n.waits
FROM (SELECT w.id, o.id IS NOT NULL AND (({WAITS}) OR o.overlap <> 'allow' AND w.place > 1) AS waits
      FROM (SELECT id, runnable_id, row_number() OVER (PARTITION BY runnable_id ORDER BY id) AS place
            FROM runs_run WHERE id = ANY(%s)) w
      LEFT JOIN runs_runnable o ON o.id = w.runnable_id
      WHERE o.id IS NULL OR o.id = ANY(%s)) n
WHERE r.id = n.id RETURNING r.queue
"""  # noqa: S608


def queue_waiting(now: datetime, limit: int) -> list[str]:
    """Queue the runs whose wait is over; one beside which another is active is held. Returns the queue of each.

    One statement when no wait is over.
    """
    with connection.cursor() as cursor:
        cursor.execute(WAITED, [now, limit])
        if not (waited := cursor.fetchall()):
            return []
        cursor.execute(HOLD_FREE, [[runnable_id for _, runnable_id in waited if runnable_id]])
        free = [runnable_id for (runnable_id,) in cursor.fetchall()]
        cursor.execute(_WAKE, [[run_id for run_id, _ in waited], free])
        return [queue for (queue,) in cursor.fetchall()]


_CLAIM = f"""{PICKED}
UPDATE runs_run r SET state = 'running', worker = %(worker)s, started_at = coalesce(r.started_at, %(now)s)
FROM picked LEFT JOIN runs_runnable owner ON owner.id = picked.runnable_id
WHERE r.id = picked.id
RETURNING r.id, r.application_id, r.runnable_id, r.kind, r.number, r.attempts, r.occurrence, r.due_at, r.input::text,
          coalesce(owner.retries, 3), coalesce(owner.retry_step_s, 10), coalesce(owner.backoff, 'incremental'),
          CASE WHEN owner.backoff = 'list' THEN owner.retry_delays::text END, owner.retry_for_s, r.started_at,
          coalesce(owner.failures_in_row > 0 OR owner.breaker <> '', false), r.worker, r.iteration, r.attempts_before,
          picked.workspace_id, r.rescues
"""  # noqa: S608


def claim(  # noqa: PLR0913
    *, queue: str, worker: UUID, limit: int, now: datetime, share: Share | None = None, rooms: Rooms | None = None
) -> list[Claimed]:
    """Take up to `limit` queued runs for a worker: they are running now, and nobody else's.

    `rooms` are what limits leave, asked for within the same transaction.
    """
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        rooms = rooms or quotas.rooms(queue=queue, limit=limit, now=now)
        share = share or Share(Most(limit, limit))
        turns = picking.turns(cursor, queue=queue, limit=limit, share=share, rooms=rooms)
        if not turns:
            return []
        given: dict[str, Any] = {"queue": queue, "worker": worker, "limit": limit, "now": now}
        cursor.execute(_CLAIM, given | picking.columns_of(turns))
        claimed = picking.claimed_of(cursor.fetchall())
        quotas.spend(rooms, claimed, now=now)
    return claimed


_FINISH = """
WITH done AS (
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
                         %s::int[], %s::bool[], %s::text[], %s::text[], %s::text[], %s::text[], %s::int[])
        AS d(run_id, attempt_id, state, due_at, started_at, ended_at, duration_ms, ok, error_class, error, result,
             output, attempts)
), moved AS (
    UPDATE runs_run r SET
        state = d.state, due_at = d.due_at, attempts = r.attempts + 1, worker = NULL, error = d.error,
        error_class = d.error_class,
        output = CASE WHEN d.state = 'retrying' AND r.iteration > 1 THEN r.output ELSE d.output::jsonb END,
        finished_at = CASE WHEN d.state = 'retrying' THEN NULL ELSE d.ended_at END
    FROM done d WHERE r.id = d.run_id AND r.state = 'running' AND r.worker = %s AND r.attempts = d.attempts
    RETURNING d.attempt_id, r.id, r.application_id, r.runnable_id, r.attempts, r.number, d.started_at, d.duration_ms,
              d.ok, d.error_class, d.error, d.result, d.ended_at
)
INSERT INTO runs_attempt (id, run_id, application_id, runnable_id, number, run_number, started_at, duration_ms, ok,
                          error_class, error, result, created_at)
SELECT attempt_id, id, application_id, runnable_id, attempts, number, started_at, duration_ms,
       ok, error_class, error, result::jsonb, ended_at
FROM moved
RETURNING id
"""


# The iteration is over, and the run goes on with the next one: as many may die while they have that as before.
_GO_ON = """
WITH done AS (
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
                         %s::int[], %s::text[], %s::text[], %s::text[], %s::int[])
        AS d(run_id, attempt_id, state, due_at, started_at, ended_at, duration_ms, result, output, input, attempts)
), moved AS (
    UPDATE runs_run r SET
        state = d.state, due_at = d.due_at, attempts = r.attempts + 1, attempts_before = r.attempts + 1,
        iteration = r.iteration + 1, rescues = 0, worker = NULL, error = '', error_class = '',
        output = d.output::jsonb, input = d.input::jsonb
    FROM done d WHERE r.id = d.run_id AND r.state = 'running' AND r.worker = %s AND r.attempts = d.attempts
    RETURNING d.attempt_id, r.id, r.application_id, r.runnable_id, r.attempts, r.number, d.started_at, d.duration_ms,
              d.result, d.ended_at
)
INSERT INTO runs_attempt (id, run_id, application_id, runnable_id, number, run_number, started_at, duration_ms, ok,
                          error_class, error, result, created_at)
SELECT attempt_id, id, application_id, runnable_id, attempts, number, started_at, duration_ms,
       true, '', '', result::jsonb, ended_at
FROM moved
RETURNING id
"""


def finish(finished: Sequence[Finished], *, worker: UUID) -> set[UUID]:
    """Record attempts that ended and move their runs on. Returns the runs that were still this worker's.

    Those that were aborted or taken back meanwhile keep the state they got, and this attempt leaves no trace. Nor does
    one that is recorded already, though its run is here again for the next. They are given in the order of their ids,
    in which `overtake` locks, so that hardly ever one has what the other waits for. What follows elsewhere from those
    that are over now is done in the same transaction.
    """
    finished = sorted(finished, key=lambda one: one.run.id)
    over, going_on = [one for one in finished if not one.goes_on], [one for one in finished if one.goes_on]
    moved = _written(_FINISH, columns_of, over, worker) + _written(_GO_ON, columns_of_next, going_on, worker)
    _keep_inputs([one for one in moved if one.input is not None and not one.goes_on])
    log_retries(one for one in moved if not one.ok)
    log_said(one for one in moved if one.said)
    following.follow(
        Ended(one.run.id, one.run.application_id, one.run.kind, one.state, one.ended_at)
        for one in moved
        if one.state in FINAL
    )
    return {one.run.id for one in moved}


def _keep_inputs(ended: Sequence[Finished]) -> None:
    """What these made of their inputs, which hardly any does, so that it has no part in what all runs pay for."""
    if ended:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE runs_run r SET input = g.input::jsonb FROM unnest(%s::uuid[], %s::text[]) AS g(id, input)"
                " WHERE r.id = g.id",
                [[one.run.id for one in ended], [json.dumps(one.input) for one in ended]],
            )


def _written(
    sql: str,
    columns: Callable[[Sequence[Finished], Sequence[UUID]], list[list[Any]]],
    ended: Sequence[Finished],
    worker: UUID,
) -> list[Finished]:
    """Those that were still this worker's, and are written now."""
    if not ended:
        return []
    ids = [uuid7() for _ in ended]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*columns(ended, ids), worker])
        stored = {attempt_id for (attempt_id,) in cursor.fetchall()}
    return [one for attempt_id, one in zip(ids, ended, strict=True) if attempt_id in stored]


_POSTPONE = """
UPDATE runs_run r SET
    state = CASE WHEN r.attempts > r.attempts_before OR p.is_begun THEN 'retrying' ELSE 'scheduled' END,
    due_at = p.due_at,
    worker = NULL, started_at = CASE WHEN r.attempts > 0 OR r.rescues > 0 OR p.is_begun THEN r.started_at END
FROM unnest(%s::uuid[], %s::timestamptz[], %s::int[], %s::timestamptz[], %s::bool[])
    AS p(run_id, due_at, attempts, was_due_at, is_begun)
WHERE r.id = p.run_id AND r.state = 'running' AND r.worker = %s AND r.attempts = p.attempts AND r.due_at = p.was_due_at
RETURNING r.application_id
"""


def postpone(put_off: Sequence[PutOff], *, worker: UUID) -> None:
    """Hand back runs that were not tried: they wait, for their first attempt or for the one after the last.

    Those that were begun wait in the middle of an attempt: as one that waits for its retry they overlap with nothing.

    So many may come and go that their logs do not tell of it. What their application's limits took comes back. One that
    was handed back already, and is here again, is left alone.
    """
    put_off = sorted(put_off, key=lambda one: one.run.id)
    ids, dues = [one.run.id for one in put_off], [one.due_at for one in put_off]
    attempts, were_due = [one.run.attempts for one in put_off], [one.run.due_at for one in put_off]
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(_POSTPONE, [ids, dues, attempts, were_due, [one.is_begun for one in put_off], worker])
        quotas.give_back(owner for (owner,) in cursor.fetchall())


def hasten(run_ids: Sequence[UUID], *, now: datetime) -> None:
    """Let these go now, if they wait for their time: what they waited for has happened sooner."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE runs_run SET due_at = %s WHERE id = ANY(%s) AND state = 'scheduled' AND due_at > %s",
            [now, list(run_ids), now],
        )


def abort(run_ids: Iterable[UUID], *, now: datetime, reason: str, running_too: bool = True) -> set[UUID]:
    """End runs that are not over. A running one is told so within about a second; its attempt is not recorded."""
    states = [State.SCHEDULED, State.QUEUED, State.RETRYING, *([State.RUNNING] if running_too else [])]
    return _end(
        "UPDATE runs_run SET state = 'aborted', finished_at = %s, worker = NULL, error = %s, held = false"
        " WHERE id = ANY(%s) AND state = ANY(%s)",
        [now, reason, list(run_ids), [state.value for state in states]],
        level="info",
        message=reason,
        now=now,
    )


OVERTAKEN = "Cancelled: the next occurrence came, and its job cancels what runs."


def overtake(runnable_ids: Sequence[int], *, now: datetime) -> set[UUID]:
    """Abort what the schedules of these runnables made and is not over: the next occurrence takes its place.

    What somebody asked for (runs by hand, replays, backfills) is no earlier occurrence, and goes on. Nor is a retry.
    """
    return _end(
        "UPDATE runs_run SET state = 'aborted', finished_at = %s, worker = NULL, error = %s, held = false"
        " WHERE id IN (SELECT id FROM runs_run"
        " WHERE runnable_id = ANY(%s) AND cause = 'schedule' AND (state IN ('queued', 'running') AND NOT held OR held"
        " OR state = 'scheduled') ORDER BY id FOR NO KEY UPDATE)",
        [now, OVERTAKEN, list(runnable_ids)],
        level="info",
        message=OVERTAKEN,
        now=now,
    )


SUPERSEDED = "The next occurrence came before the next attempt."


def supersede(runnable_ids: Sequence[int], *, now: datetime) -> set[UUID]:
    """Fail the runs of these runnables that wait for another attempt: a newer occurrence takes their place."""
    return _end(
        "UPDATE runs_run SET state = 'failed', finished_at = %s, error = %s, error_class = 'superseded'"
        " WHERE state = 'retrying' AND runnable_id = ANY(%s)",
        [now, f"Superseded. {SUPERSEDED}", list(runnable_ids)],
        level="error",
        message=f"Superseded. {SUPERSEDED}",
        now=now,
    )


# Rows that a frozen process still holds locked are left for the next time: nobody waits for them.
_LOST = """
WHERE r.id IN (
    SELECT l.id FROM runs_run l
    WHERE l.state = 'running' AND l.rescues {} AND NOT EXISTS (
        SELECT FROM runs_worker w WHERE w.id = l.worker AND w.seen_at > %s)
    FOR UPDATE SKIP LOCKED)
"""


def rescue(*, unseen_since: datetime, now: datetime) -> set[UUID]:
    """Queue again what is in the hands of workers not seen since then; fail what has been rescued too often."""
    given_up = _end(
        "UPDATE runs_run r SET state = 'failed', finished_at = %s, worker = NULL, error = %s,"  # noqa: S608
        " error_class = 'lost'" + _LOST.format(f">= {RESCUES}"),
        [now, f"Lost: {RESCUES + 1} workers ended while they had this run.", unseen_since],
        level="error",
        message="Given up: every worker that took this run ended before it was done.",
        now=now,
    )
    rescued = _end(
        "UPDATE runs_run r SET state = 'queued', worker = NULL, rescues = r.rescues + 1"  # noqa: S608
        + _LOST.format(f"< {RESCUES}"),
        [unseen_since],
        level="warning",
        message="Rescued: the worker that had this run is gone. It is queued again, under the same id.",
        now=now,
    )
    return given_up | rescued


_STOPPED = "Released: the worker was stopped before this attempt ended. It is queued again, under the same id."
CLAIM_LOST = "Released: the worker lost its connection while it took this run. It is queued again."


def release(run_ids: Iterable[UUID], *, worker: UUID, now: datetime, message: str = _STOPPED) -> set[UUID]:
    """Queue again what a worker that is stopping could not finish, or does not know of."""
    return _end(
        "UPDATE runs_run SET state = 'queued', worker = NULL WHERE id = ANY(%s) AND state = 'running' AND worker = %s",
        [list(run_ids), worker],
        level="warning",
        message=message,
        now=now,
    )


def disown(holding: Iterable[UUID], *, worker: UUID, now: datetime) -> set[UUID]:
    """Queue again what the books say that a worker has, and it has not: a claim was made, and the answer lost."""
    return _end(
        "UPDATE runs_run SET state = 'queued', worker = NULL"
        " WHERE state = 'running' AND worker = %s AND NOT id = ANY(%s)",
        [worker, list(holding)],
        level="warning",
        message=CLAIM_LOST,
        now=now,
    )


def lose_owner(run_ids: Iterable[UUID], *, worker: UUID, now: datetime) -> set[UUID]:
    """Abort claimed runs whose job, task or the like was deleted in the meantime."""
    return _end(
        "UPDATE runs_run SET state = 'aborted', finished_at = %s, worker = NULL, error = %s"
        " WHERE id = ANY(%s) AND state = 'running' AND worker = %s",
        [now, "What it belonged to was deleted.", list(run_ids), worker],
        level="info",
        message="What it belonged to was deleted.",
        now=now,
    )


def _end(sql: str, values: list[Any], *, level: str, message: str, now: datetime) -> set[UUID]:
    """Make a change that is rare enough to be explained in the log of each run it moved, and do what follows."""
    with transaction.atomic(savepoint=False):
        with connection.cursor() as cursor:
            cursor.execute(f"{sql} RETURNING id, application_id, attempts, iteration, kind, state, rescues", values)
            moved = [Moved(*row) for row in cursor.fetchall()]
        log_moves(moved, level=level, message=message, now=now)
        following.follow(
            Ended(one.run_id, one.application_id, one.kind, State(one.state), now)
            for one in moved
            if one.state in FINAL
        )
    return {one.run_id for one in moved}
