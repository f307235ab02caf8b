"""Every change of a run's state, and nothing else changes one.

Each verb is one statement over a set, and a compare-and-swap: it names the state it expects, and the ids that do not
come back were taken by somebody else, who now answers for them. docs/run-life-cycle.md draws the states.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.changes import Finished, Planned, Share, columns_of
from badgerjobs.runs.explain import log_moves, log_retries
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.making import ALL_NOW, PLANNED, REPLAYED
from badgerjobs.runs.models import FINAL, Cause, Run, Runnable, State
from badgerjobs.runs.picking import PICKED

# How often a run may be taken back from workers that died before it is held to be what kills them.
RESCUES = 5


def queue_planned(planned: Sequence[Planned], now: datetime) -> list[str]:
    """Turn due occurrences into queued runs and advance their runnables. Returns the queue of each new run."""
    ids = [uuid7() for _ in planned]
    with connection.cursor() as cursor:
        cursor.execute(
            PLANNED,
            [
                [one.runnable_id for one in planned],
                ids,
                [one.occurrence for one in planned],
                [one.next_run_at for one in planned],
                now,
                now,
            ],
        )
        return [queue for (queue,) in cursor.fetchall()]


def queue_now(runnable: Runnable, *, cause: Cause, now: datetime) -> Run:
    """One run of a runnable, due at once, beside its schedule. Raises DoesNotExist when it was deleted meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE runs_runnable SET runs_made = runs_made + 1, last_run_at = %s WHERE id = %s RETURNING runs_made",
            [now, runnable.pk],
        )
        row = cursor.fetchone()
    if row is None:
        raise Runnable.DoesNotExist
    return Run.objects.create(
        application_id=runnable.application_id,
        runnable=runnable,
        kind=runnable.kind,
        queue=runnable.queue,
        priority=runnable.priority,
        cause=cause,
        number=row[0],
        state=State.QUEUED,
        due_at=now,
        created_at=now,
    )


def replay(run_ids: Sequence[UUID], *, now: datetime) -> list[tuple[UUID, str]]:
    """Queue a new run for each of these that is over and still has its owner. Returns the new ids and their queues.

    The new run does what its owner says now, beside its schedule, and names the old one.
    """
    values: dict[str, Any] = {
        "old": list(run_ids),
        "new": [uuid7() for _ in run_ids],
        "over": [state.value for state in FINAL],
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(REPLAYED, values)
        rows: list[tuple[UUID, str]] = cursor.fetchall()
    return rows


def queue_all_now(runnable_ids: Sequence[int], *, cause: Cause, now: datetime) -> list[str]:
    """One run of each of these runnables, due at once, in one statement. Returns the queue of each new run."""
    ids = [uuid7() for _ in runnable_ids]
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"ids": list(runnable_ids), "run_ids": ids, "cause": cause.value, "now": now}
        cursor.execute(ALL_NOW, values)
        return [queue for (queue,) in cursor.fetchall()]


_QUEUE_WAITING = """
UPDATE runs_run SET state = 'queued' WHERE id IN (
    SELECT id FROM runs_run WHERE state IN ('scheduled', 'retrying') AND due_at <= %s
    ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
) RETURNING queue
"""


def queue_waiting(now: datetime, limit: int) -> list[str]:
    """Queue the runs whose wait is over. Returns the queue of each."""
    with connection.cursor() as cursor:
        cursor.execute(_QUEUE_WAITING, [now, limit])
        return [queue for (queue,) in cursor.fetchall()]


_CLAIM = f"""{PICKED}
UPDATE runs_run r SET state = 'running', worker = %(worker)s, started_at = coalesce(r.started_at, %(now)s)
FROM picked LEFT JOIN runs_runnable owner ON owner.id = picked.runnable_id
WHERE r.id = picked.id
RETURNING r.id, r.application_id, r.runnable_id, r.kind, r.number, r.attempts, r.occurrence, r.due_at, r.input,
          coalesce(owner.retries, 3), coalesce(owner.retry_step_s, 10)
"""  # noqa: S608


def claim(*, queue: str, worker: UUID, limit: int, now: datetime, share: Share | None = None) -> list[Claimed]:
    """Take up to `limit` queued runs for a worker: they are running now, and nobody else's."""
    share = share or Share(limit, {})
    values: dict[str, Any] = {
        "queue": queue,
        "worker": worker,
        "limit": limit,
        "now": now,
        "most": share.most,
        "holders": list(share.held),
        "holding": list(share.held.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        rows = cursor.fetchall()
    return [Claimed(*(*row[:8], _parsed(row[8]), *row[9:])) for row in rows]


def _parsed(value: Any) -> Any:
    # Django hands jsonb over as text when the query is written by hand.
    return json.loads(value) if isinstance(value, str) else value


_FINISH = """
WITH done AS (
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
                         %s::int[], %s::bool[], %s::text[], %s::text[], %s::text[], %s::text[])
        AS d(run_id, attempt_id, state, due_at, started_at, ended_at, duration_ms, ok, error_class, error, result,
             output)
), moved AS (
    UPDATE runs_run r SET
        state = d.state, due_at = d.due_at, attempts = r.attempts + 1, worker = NULL, error = d.error,
        output = d.output::jsonb, finished_at = CASE WHEN d.state = 'retrying' THEN NULL ELSE d.ended_at END
    FROM done d WHERE r.id = d.run_id AND r.state = 'running' AND r.worker = %s
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


def finish(finished: Sequence[Finished], *, worker: UUID) -> set[UUID]:
    """Record attempts that ended and move their runs on. Returns the runs that were still this worker's.

    Those that were aborted or taken back meanwhile keep the state they got, and this attempt leaves no trace.
    """
    ids = [uuid7() for _ in finished]
    with connection.cursor() as cursor:
        cursor.execute(
            _FINISH,
            [*columns_of(finished, ids), worker],
        )
        stored = {attempt_id for (attempt_id,) in cursor.fetchall()}
    moved = [one for attempt_id, one in zip(ids, finished, strict=True) if attempt_id in stored]
    log_retries(one for one in moved if not one.ok)
    return {one.run.id for one in moved}


def abort(run_ids: Iterable[UUID], *, now: datetime, reason: str, running_too: bool = True) -> set[UUID]:
    """End runs that are not over. A running one is told so within about a second; its attempt is not recorded."""
    states = [State.SCHEDULED, State.QUEUED, State.RETRYING, *([State.RUNNING] if running_too else [])]
    return _end(
        "UPDATE runs_run SET state = 'aborted', finished_at = %s, worker = NULL, error = %s"
        " WHERE id = ANY(%s) AND state = ANY(%s) RETURNING id, application_id, attempts",
        [now, reason, list(run_ids), [state.value for state in states]],
        level="info",
        message=reason,
        now=now,
    )


SUPERSEDED = "The next occurrence came before the next attempt."


def supersede(runnable_ids: Sequence[int], *, now: datetime) -> set[UUID]:
    """Fail the runs of these runnables that wait for another attempt: a newer occurrence takes their place."""
    return _end(
        "UPDATE runs_run SET state = 'failed', finished_at = %s, error = %s"
        " WHERE state = 'retrying' AND runnable_id = ANY(%s) RETURNING id, application_id, attempts",
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
        "UPDATE runs_run r SET state = 'failed', finished_at = %s, worker = NULL, error = %s"  # noqa: S608
        + _LOST.format(f">= {RESCUES}")
        + " RETURNING r.id, r.application_id, r.attempts",
        [now, f"Lost: {RESCUES + 1} workers ended while they had this run.", unseen_since],
        level="error",
        message="Given up: every worker that took this run ended before it was done.",
        now=now,
    )
    rescued = _end(
        "UPDATE runs_run r SET state = 'queued', worker = NULL, rescues = r.rescues + 1"  # noqa: S608
        + _LOST.format(f"< {RESCUES}")
        + " RETURNING r.id, r.application_id, r.attempts",
        [unseen_since],
        level="warning",
        message="Rescued: the worker that had this run is gone. It is queued again, under the same id.",
        now=now,
    )
    return given_up | rescued


def release(run_ids: Iterable[UUID], *, worker: UUID, now: datetime) -> set[UUID]:
    """Queue again what a worker that is stopping could not finish."""
    return _end(
        "UPDATE runs_run SET state = 'queued', worker = NULL"
        " WHERE id = ANY(%s) AND state = 'running' AND worker = %s RETURNING id, application_id, attempts",
        [list(run_ids), worker],
        level="warning",
        message="Released: the worker was stopped before this attempt ended. It is queued again, under the same id.",
        now=now,
    )


def disown(holding: Iterable[UUID], *, worker: UUID, now: datetime) -> set[UUID]:
    """Queue again what the books say that a worker has, and it has not: a claim was made, and the answer lost."""
    return _end(
        "UPDATE runs_run SET state = 'queued', worker = NULL"
        " WHERE state = 'running' AND worker = %s AND NOT id = ANY(%s) RETURNING id, application_id, attempts",
        [worker, list(holding)],
        level="warning",
        message="Released: the worker lost its connection while it took this run. It is queued again.",
        now=now,
    )


def lose_owner(run_ids: Iterable[UUID], *, worker: UUID, now: datetime) -> set[UUID]:
    """Abort claimed runs whose job, task or the like was deleted in the meantime."""
    return _end(
        "UPDATE runs_run SET state = 'aborted', finished_at = %s, worker = NULL, error = %s"
        " WHERE id = ANY(%s) AND state = 'running' AND worker = %s RETURNING id, application_id, attempts",
        [now, "What it belonged to was deleted.", list(run_ids), worker],
        level="info",
        message="What it belonged to was deleted.",
        now=now,
    )


def _end(sql: str, values: list[Any], *, level: str, message: str, now: datetime) -> set[UUID]:
    """Make a change that is rare enough to be explained in the log of each run it moved."""
    with transaction.atomic(savepoint=False):
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            rows = cursor.fetchall()
        log_moves(rows, level=level, message=message, now=now)
    return {run_id for run_id, _, _ in rows}
