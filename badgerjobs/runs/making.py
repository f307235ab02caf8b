"""How new runs are made: many in one statement each, and their runnables count them."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from badgerjobs.lib.ids import uuid7, uuid7s
from badgerjobs.runs.alone import replay_alone
from badgerjobs.runs.holding import WAITS, hold_owners
from badgerjobs.runs.kinds import REPLAYED_BY_OWNERS
from badgerjobs.runs.models import FINAL, Cause, Run, Runnable, State
from badgerjobs.runs.owner_replays import replay_by_owners
from badgerjobs.runs.planning import Plan, Skip

# What is due becomes queued, and its runnable, which is locked, is advanced. An occurrence becomes a run once, however
# often it is given: one that has a run already is no other, and is not counted. (Looked for one by one: the planner may
# know nothing yet of a table that grows so fast.)
PLANNED = """
WITH planned AS (
    SELECT * FROM unnest(%(runnables)s::bigint[], %(nexts)s::timestamptz[]) AS p(runnable_id, next_run_at)
), made AS (
    INSERT INTO runs_run (id, application_id, runnable_id, kind, queue, priority, cause, occurrence, number, state,
                          held, due_at, attempts, rescues, error, created_at)
    SELECT o.run_id, a.application_id, a.id, a.kind, a.queue, a.priority, 'schedule', o.occurrence,
           a.runs_made + row_number() OVER (PARTITION BY a.id ORDER BY o.occurrence), 'queued', o.held, o.due_at, 0, 0,
           '', %(now)s
    FROM unnest(%(owners)s::bigint[], %(run_ids)s::uuid[], %(occurrences)s::timestamptz[], %(dues)s::timestamptz[],
                %(helds)s::bool[]) AS o(runnable_id, run_id, occurrence, due_at, held)
    JOIN runs_runnable a ON a.id = o.runnable_id
    LEFT JOIN LATERAL (
        SELECT true AS found FROM runs_run r
        WHERE r.runnable_id = o.runnable_id AND r.occurrence = o.occurrence AND r.state <> 'skipped' LIMIT 1
    ) before ON true
    WHERE before.found IS NULL
    ON CONFLICT (runnable_id, occurrence) WHERE state <> 'skipped' DO NOTHING
    RETURNING runnable_id, queue
), advanced AS (
    UPDATE runs_runnable r SET next_run_at = p.next_run_at, next_occurrence = NULL,
        planned_at = greatest(r.planned_at, %(now)s), runs_made = r.runs_made + p.n,
        scheduled_runs = r.scheduled_runs + p.n, last_run_at = CASE WHEN p.n > 0 THEN %(now)s ELSE r.last_run_at END
    FROM (
        SELECT planned.*, coalesce(counted.n, 0) AS n
        FROM planned LEFT JOIN (SELECT runnable_id, count(*) AS n FROM made GROUP BY 1) counted USING (runnable_id)
    ) p
    WHERE r.id = p.runnable_id
)
SELECT queue FROM made
"""


def planned_values(plans: Sequence[Plan], now: datetime) -> dict[str, Any]:
    """What `PLANNED` is given: a list for each column."""
    runs = [(one.runnable_id, run) for one in plans for run in one.runs]
    return {
        "now": now,
        "runnables": [one.runnable_id for one in plans],
        "nexts": [one.next_run_at for one in plans],
        "owners": [runnable_id for runnable_id, _ in runs],
        "run_ids": uuid7s(now, len(runs)),
        "occurrences": [run.at for _, run in runs],
        "dues": [run.due_at for _, run in runs],
        "helds": [run.held for _, run in runs],
    }


# Occurrences that are not run have a row, too: consecutive ones for one reason share it.
SKIPPED = """
WITH given AS (
    SELECT * FROM unnest(%(owners)s::bigint[], %(run_ids)s::uuid[], %(reasons)s::text[], %(firsts)s::timestamptz[],
                         %(lasts)s::timestamptz[], %(counts)s::bigint[])
        AS g(runnable_id, run_id, reason, first, last, n)
), found AS (
    SELECT g.*, before.id AS before_id
    FROM given g LEFT JOIN LATERAL (
        SELECT id, state, skip_reason, skipped_until
        FROM runs_run WHERE runnable_id = g.runnable_id ORDER BY id DESC LIMIT 1
    ) before ON before.state = 'skipped' AND before.skip_reason = g.reason AND before.skipped_until < g.first
), grown AS (
    UPDATE runs_run r SET skipped_until = f.last, skipped_count = r.skipped_count + f.n, finished_at = %(now)s
    FROM found f WHERE r.id = f.before_id
)
INSERT INTO runs_run (id, application_id, runnable_id, kind, queue, priority, cause, occurrence, number, state, due_at,
                      attempts, rescues, error, skip_reason, skipped_until, skipped_count, created_at, finished_at)
SELECT f.run_id, o.application_id, o.id, o.kind, o.queue, o.priority, 'schedule', f.first, 0, 'skipped', f.first,
       0, 0, '', f.reason, f.last, f.n, %(now)s, %(now)s
FROM found f JOIN runs_runnable o ON o.id = f.runnable_id
WHERE f.before_id IS NULL
"""


def skipped_values(skips: Sequence[tuple[int, Skip]], now: datetime) -> dict[str, Any]:
    """What `SKIPPED` is given: a list for each column. One runnable may be among them once."""
    return {
        "now": now,
        "owners": [runnable_id for runnable_id, _ in skips],
        "run_ids": uuid7s(now, len(skips)),
        "reasons": [skip.reason.value for _, skip in skips],
        "firsts": [skip.first for _, skip in skips],
        "lasts": [skip.last for _, skip in skips],
        "counts": [skip.count for _, skip in skips],
    }


# Each runnable once, beside its schedule. They are locked already, by a statement of its own: who waits for a lock sees
# the runs that were made before he got it only with his next statement.
ALL_NOW = f"""
WITH given AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(run_ids)s::uuid[]) AS g(runnable_id, run_id)
), counted AS (
    UPDATE runs_runnable o SET runs_made = o.runs_made + 1, last_run_at = %(now)s
    FROM given WHERE o.id = given.runnable_id
    RETURNING o.id, o.application_id, o.kind, o.queue, o.priority, o.runs_made, given.run_id, {WAITS} AS held
)
INSERT INTO runs_run (id, application_id, runnable_id, kind, queue, priority, cause, number, state, held, due_at,
                      attempts, rescues, input, error, created_at)
SELECT run_id, application_id, id, kind, queue, priority, %(cause)s, runs_made, 'queued', held, %(now)s, 0, 0,
       %(input)s::jsonb, '', %(now)s
FROM counted RETURNING id, queue
"""  # noqa: S608

# Many of some runnables, which are locked, each given something else: those of one in their order.
EACH_NOW = f"""
WITH given AS (
    SELECT g.*, row_number() OVER (PARTITION BY g.runnable_id ORDER BY g.run_id) AS place
    FROM unnest(%(owners)s::bigint[], %(run_ids)s::uuid[], %(inputs)s::text[]) AS g(runnable_id, run_id, input)
), counted AS (
    UPDATE runs_runnable o SET runs_made = o.runs_made + c.n, last_run_at = %(now)s
    FROM (SELECT runnable_id, count(*) AS n FROM given GROUP BY runnable_id) c WHERE o.id = c.runnable_id
    RETURNING o.id, o.application_id, o.kind, o.queue, o.priority, o.overlap, o.runs_made - c.n AS made,
              {WAITS} AS held
)
INSERT INTO runs_run (id, application_id, runnable_id, kind, queue, priority, cause, number, state, held, due_at,
                      attempts, rescues, input, error, created_at)
SELECT g.run_id, c.application_id, c.id, c.kind, c.queue, c.priority, %(cause)s, c.made + g.place, 'queued',
       c.held OR (c.overlap <> 'allow' AND g.place > 1), %(now)s, 0, 0, g.input::jsonb, '', %(now)s
FROM given g JOIN counted c ON c.id = g.runnable_id
RETURNING id, number, queue
"""  # noqa: S608

# Runs that are over, once more. Their runnables are locked already. With a `step` of seconds each comes so long after
# the one before it, beginning with the place `from`.
REPLAYED = f"""
WITH asked AS (
    SELECT * FROM unnest(%(old)s::uuid[], %(new)s::uuid[]) AS a(old_id, new_id)
), old AS (
    SELECT r.id, r.runnable_id, r.input, a.new_id,
           row_number() OVER (PARTITION BY r.runnable_id ORDER BY r.id) AS place,
           %(from)s + row_number() OVER (ORDER BY r.id) - 1 AS turn
    FROM asked a JOIN runs_run r ON r.id = a.old_id
    WHERE r.state = ANY(%(over)s) AND r.runnable_id IS NOT NULL AND NOT r.kind = ANY(%(by_owners)s)
), counted AS (
    UPDATE runs_runnable o SET runs_made = o.runs_made + c.n, last_run_at = %(now)s
    FROM (SELECT runnable_id, count(*) AS n FROM old GROUP BY runnable_id) c WHERE o.id = c.runnable_id
    RETURNING o.id, o.application_id, o.kind, o.queue, o.priority, o.overlap, o.runs_made - c.n AS made,
              {WAITS} AS held
)
INSERT INTO runs_run (id, application_id, runnable_id, kind, queue, priority, cause, number, replay_of, state, held,
                      due_at, attempts, rescues, input, error, created_at)
SELECT old.new_id, c.application_id, c.id, c.kind, c.queue, c.priority, 'replay', c.made + old.place, old.id,
       CASE WHEN later THEN 'scheduled' ELSE 'queued' END,
       NOT later AND (c.held OR (c.overlap <> 'allow' AND old.place > 1)),
       %(now)s + old.turn * %(step)s * interval '1 s', 0, 0, old.input, '', %(now)s
FROM old JOIN counted c ON c.id = old.runnable_id, LATERAL (SELECT old.turn * %(step)s > 0 AS later) wait
RETURNING id, queue
"""  # noqa: S608

# Past occurrences of one runnable, which is locked, that have no run yet. They go one after the other, unless they may
# be beside each other; with a `step` of seconds each comes so long after the one before it.
BACKFILLED = f"""
WITH given AS (
    SELECT * FROM unnest(%(run_ids)s::uuid[], %(occurrences)s::timestamptz[]) WITH ORDINALITY
        AS g(run_id, occurrence, place)
), counted AS (
    UPDATE runs_runnable o SET runs_made = o.runs_made + %(count)s, last_run_at = %(now)s WHERE o.id = %(runnable)s
    RETURNING o.id, o.application_id, o.kind, o.queue, o.priority, o.overlap, o.runs_made - %(count)s AS made,
              {WAITS} AS held
)
INSERT INTO runs_run (id, application_id, runnable_id, kind, queue, priority, cause, occurrence, number, state, held,
                      due_at, attempts, rescues, error, created_at)
SELECT g.run_id, c.application_id, c.id, c.kind, c.queue, c.priority, 'backfill', g.occurrence, c.made + g.place,
       CASE WHEN later THEN 'scheduled' ELSE 'queued' END,
       NOT later AND (c.held OR (c.overlap <> 'allow' AND g.place > 1)),
       %(now)s + (g.place - 1) * %(step)s * interval '1 s', 0, 0, '', %(now)s
FROM given g, counted c, LATERAL (SELECT (g.place - 1) * %(step)s > 0 AS later) wait
RETURNING queue
"""  # noqa: S608

# Runs that belong to no runnable: what they do stands in their input.
ALONE = """
INSERT INTO runs_run (id, application_id, kind, queue, priority, cause, number, state, due_at, attempts, rescues, input,
                      error, created_at)
SELECT g.id, g.application_id, %(kind)s, %(queue)s, %(priority)s, %(cause)s, 0,
       CASE WHEN %(due)s > %(now)s THEN 'scheduled' ELSE 'queued' END, %(due)s, 0, 0, g.input::jsonb, '', %(now)s
FROM unnest(%(ids)s::uuid[], %(applications)s::bigint[], %(inputs)s::text[]) AS g(id, application_id, input)
"""


def queue_planned(plans: Sequence[Plan], now: datetime) -> list[str]:
    """Turn due occurrences into queued runs and advance their runnables. Returns the queue of each new run."""
    with connection.cursor() as cursor:
        cursor.execute(PLANNED, planned_values(plans, now))
        return [queue for (queue,) in cursor.fetchall()]


def skip(skips: Sequence[tuple[int, Skip]], *, now: datetime) -> None:
    """Account for occurrences that are not run: each with the id of its runnable, which is locked and here once."""
    with connection.cursor() as cursor:
        cursor.execute(SKIPPED, skipped_values(skips, now))


def queue_now(runnable: Runnable, *, cause: Cause, now: datetime, given: Any = None) -> Run:
    """One run of a runnable, due at once, beside its schedule. Raises DoesNotExist when it was deleted meanwhile.

    What it is `given` is its input; None: what it does is all its owner's to say.

    Unless its policy allows runs beside each other, it waits for what is active.
    """
    Runnable.objects.select_for_update(no_key=True).only("pk").get(pk=runnable.pk)
    [(run_id, _)] = queue_all_now([runnable.pk], cause=cause, now=now, given=given)
    return Run.objects.get(pk=run_id)


def replay(run_ids: Sequence[UUID], *, now: datetime, step: float = 0, start: int = 0) -> list[tuple[UUID, str]]:
    """Queue a new run for each of these that is over and still has its owner. Returns the new ids and their queues.

    The new run does what its owner says now, beside its schedule, and names the old one. With a `step` the n-th of
    them, counted from `start`, waits n times as many seconds. After them come those that their owners replay
    (REPLAYED_BY_OWNERS), and, last, those of no owner that may be replayed (REPLAYED_ALONE).
    """
    values: dict[str, Any] = {
        "old": list(run_ids),
        "new": [uuid7() for _ in run_ids],
        "over": [state.value for state in FINAL if state != State.SKIPPED],
        "by_owners": list(REPLAYED_BY_OWNERS),
        "now": now,
        "step": step,
        "from": start,
    }
    hold_owners(run_ids)
    with connection.cursor() as cursor:
        cursor.execute(REPLAYED, values)
        rows: list[tuple[UUID, str]] = cursor.fetchall()
    rows += replay_by_owners(run_ids, now=now, step=step, start=start + len(rows))
    return [*rows, *replay_alone(run_ids, now=now, step=step, start=start + len(rows))]


def backfill(runnable_id: int, occurrences: Sequence[datetime], *, now: datetime, step: float = 0) -> list[str]:
    """Make a run of each of these past occurrences of a runnable that is locked. Returns the queue of each."""
    values: dict[str, Any] = {
        "runnable": runnable_id,
        "run_ids": [uuid7() for _ in occurrences],
        "occurrences": list(occurrences),
        "count": len(occurrences),
        "now": now,
        "step": step,
    }
    with connection.cursor() as cursor:
        cursor.execute(BACKFILLED, values)
        return [queue for (queue,) in cursor.fetchall()]


def queue_all_now(
    runnable_ids: Sequence[int], *, cause: Cause, now: datetime, given: Any = None
) -> list[tuple[UUID, str]]:
    """One run of each of these runnables, which are locked, due at once. Returns the new ids and their queues."""
    ids = [uuid7() for _ in runnable_ids]
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"ids": list(runnable_ids), "run_ids": ids, "cause": cause.value, "now": now}
        values["input"] = None if given is None else json.dumps(given)
        cursor.execute(ALL_NOW, values)
        rows: list[tuple[UUID, str]] = cursor.fetchall()
    return rows


def queue_each(
    given: Sequence[tuple[int, str | None]], *, cause: Cause, now: datetime
) -> tuple[list[tuple[UUID, int]], set[str]]:
    """One run for each runnable and input, due at once: a runnable may be there often, and all of them are locked.

    The inputs are JSON as text; None: nothing is given. Returns id and number of each run, in this order, and the
    queues that they are in.
    """
    ids = [uuid7() for _ in given]
    values: dict[str, Any] = {
        "run_ids": ids,
        "owners": [runnable_id for runnable_id, _ in given],
        "inputs": [text for _, text in given],
        "cause": cause.value,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(EACH_NOW, values)
        rows = cursor.fetchall()
    numbers = {run_id: number for run_id, number, _ in rows}
    return [(run_id, numbers[run_id]) for run_id in ids], {queue for _, _, queue in rows}


def queue_alone(  # noqa: PLR0913
    given: Sequence[tuple[int, Any]],
    *,
    kind: str,
    queue: str,
    priority: int,
    now: datetime,
    cause: Cause = Cause.CODE,
) -> list[UUID]:
    """One run for each application and input, of no runnable, due at once. Returns their ids, in this order."""
    texts = [(application_id, json.dumps(each)) for application_id, each in given]
    return queue_alone_as(texts, kind=kind, queue=queue, priority=priority, now=now, cause=cause)


def queue_alone_as(  # noqa: PLR0913
    given: Sequence[tuple[int, str]],
    *,
    kind: str,
    queue: str,
    priority: int,
    now: datetime,
    cause: Cause,
    due_at: datetime | None = None,
    ids: Sequence[UUID] | None = None,
) -> list[UUID]:
    """The same of inputs that are JSON as text; where `due_at` is later they wait for that.

    `ids` are those of the runs, where something knows them already.
    """
    ids = [uuid7() for _ in given] if ids is None else list(ids)
    values: dict[str, Any] = {
        "ids": ids,
        "applications": [application_id for application_id, _ in given],
        "inputs": [text for _, text in given],
    }
    with connection.cursor() as cursor:
        values |= {"kind": kind, "queue": queue, "priority": priority, "cause": cause.value, "now": now}
        values["due"] = due_at or now
        cursor.execute(ALONE, values)
    return ids
