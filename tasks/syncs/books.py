"""What a sync writes down: a constant number of statements for each batch of keys, however many they are.

A worker that was taken for dead may come back with what it fetched long ago. So each key is moved on by a
compare-and-swap, by whoever has the run, and a value is replaced by a newer one only: of two answers that is the one
which was asked for later, however long each took.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from badgerjobs.lib.time_limits import within
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.record import WRITE_S
from badgerjobs.sources.models import DataSource
from tasks.counts import Counts
from tasks.models import SyncState
from tasks.syncs.tries import Due, PutOff, Tried

# Whether the run is still this worker's.
_OURS = "EXISTS (SELECT FROM runs_run WHERE id = %(run)s AND state = 'running' AND worker = %(worker)s)"

# What a key's value depends on, in short: its source as it stands, and its variables.
_VERSION = "md5(k.source_id || ' ' || extract(epoch FROM d.updated_at) || ' ' || k.variables::text)"

# In the order of the index and nothing more: all that wait for their first attempt are due at once, and would be sorted
# each time.
_DUE = f"""
SELECT s.key_id, s.key_name, k.source_id, k.variables::text, s.attempts, s.started_at, {_VERSION}
FROM tasks_keysync s LEFT JOIN tasks_cachekey k ON k.id = s.key_id AND k.application_id = %(application)s
LEFT JOIN sources_datasource d ON d.id = k.source_id
WHERE s.run_id = %(run)s AND s.state = 'waiting' AND s.due_at <= %(now)s AND s.key_id <> ALL(%(in_hand)s) AND {_OURS}
ORDER BY s.due_at LIMIT %(limit)s
"""  # noqa: S608

# A key that was deleted before it was fetched is no failure: it is none of the run's keys any more.
_FORGET_GONE = f"""
DELETE FROM tasks_keysync WHERE run_id = %(run)s AND key_id = ANY(%(keys)s) AND state = 'waiting' AND {_OURS}
"""  # noqa: S608


@within(WRITE_S)
def take(
    run: Claimed, in_hand: Collection[int], *, now: datetime, limit: int
) -> tuple[list[Due], dict[int, DataSource]]:
    """The keys of a run whose time has come and that are not in hand, with their sources, each of which comes once.

    Two statements for all of them; three when some of the keys were deleted meanwhile. A key that was given another
    source between the two, its own being gone by then, waits for the next call.
    """
    given: dict[str, Any] = _of(run) | {"now": now, "in_hand": list(in_hand), "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_DUE, given)
        rows = cursor.fetchall()
        if gone := [key_id for key_id, _, source_id, *_ in rows if source_id is None]:
            cursor.execute(_FORGET_GONE, _of(run) | {"keys": gone})
    found = [_due(row) for row in rows if row[2] is not None]
    needed = {due.source_id for due in found}
    owned = DataSource.objects.filter(application_id=run.application_id).select_related("application")
    sources = owned.in_bulk(needed) if needed else {}
    return [due for due in found if due.source_id in sources], sources


def _due(row: Sequence[Any]) -> Due:
    key_id, name, source_id, variables, attempts, started_at, version = row
    return Due(key_id, name, source_id, json.loads(variables or "{}"), attempts, started_at, version)


_NEXT = f"SELECT min(due_at) FROM tasks_keysync WHERE run_id = %(run)s AND state = 'waiting' AND {_OURS}"  # noqa: S608


@within(WRITE_S)
def next_due(run: Claimed) -> datetime | None:
    """When the next key of a run is due; None when none waits, or the run is no longer ours."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, _of(run))
        return cursor.fetchone()[0]  # type: ignore[no-any-return]


# Before they are read and written, in one order: of two runs that fetch the same keys one waits for the other, and not
# in a ring.
HOLD = "SELECT key_id FROM tasks_cachedvalue WHERE key_id = ANY(%(keys)s) ORDER BY key_id FOR NO KEY UPDATE"

# Whether an answer was asked for later than the value that is there.
_NEWER = "(v.started_at IS NULL OR v.started_at <= g.started_at)"

_MOVE = f"""
UPDATE tasks_keysync s SET
    state = g.state, attempts = s.attempts + 1, due_at = g.due_at, started_at = coalesce(s.started_at, g.started_at),
    finished_at = CASE WHEN g.state <> 'waiting' THEN g.ended_at END, duration_ms = g.duration_ms, status = g.status,
    bytes = g.bytes, etag = g.etag, error_class = g.error_class, error = g.error,
    changed = CASE WHEN g.state = 'succeeded' THEN {_NEWER} AND v.etag IS DISTINCT FROM g.etag END
FROM unnest(%(keys)s::bigint[], %(tries)s::int[], %(states)s::text[], %(dues)s::timestamptz[],
            %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(durations)s::int[], %(statuses)s::int[],
            %(sizes)s::int[], %(etags)s::text[], %(classes)s::text[], %(errors)s::text[], %(versions)s::text[])
    AS g(key_id, tries, state, due_at, started_at, ended_at, duration_ms, status, bytes, etag, error_class, error,
         version)
JOIN tasks_cachekey k ON k.id = g.key_id
JOIN sources_datasource d ON d.id = k.source_id AND {_VERSION} = g.version
LEFT JOIN tasks_cachedvalue v ON v.key_id = g.key_id
WHERE s.run_id = %(run)s AND s.key_id = g.key_id AND s.state = 'waiting' AND s.attempts = g.tries AND {_OURS}
RETURNING s.key_id
"""  # noqa: S608

STORE = f"""
UPDATE tasks_cachedvalue v SET
    body = g.body, bytes = g.bytes, etag = g.etag, started_at = g.started_at, fetched_at = g.ended_at,
    duration_ms = g.duration_ms,
    changed_at = CASE WHEN v.etag IS DISTINCT FROM g.etag THEN g.ended_at ELSE v.changed_at END,
    tried_at = greatest(v.tried_at, g.ended_at),
    error_class = CASE WHEN v.tried_at > g.ended_at THEN v.error_class ELSE '' END,
    error = CASE WHEN v.tried_at > g.ended_at THEN v.error ELSE '' END
FROM unnest(%(keys)s::bigint[], %(bodies)s::text[], %(sizes)s::int[], %(etags)s::text[], %(starts)s::timestamptz[],
            %(ends)s::timestamptz[], %(durations)s::int[])
    AS g(key_id, body, bytes, etag, started_at, ended_at, duration_ms)
WHERE v.key_id = g.key_id AND {_NEWER}
RETURNING v.key_id
"""  # noqa: S608

# A failure says nothing of a value that was asked for later.
_NOTE = f"""
UPDATE tasks_cachedvalue v SET tried_at = g.ended_at, error_class = g.error_class, error = g.error
FROM unnest(%(keys)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(classes)s::text[],
            %(errors)s::text[]) AS g(key_id, started_at, ended_at, error_class, error)
WHERE v.key_id = g.key_id AND (v.tried_at IS NULL OR v.tried_at < g.ended_at) AND {_NEWER}
"""  # noqa: S608

_PUT_OFF = f"""
UPDATE tasks_keysync s SET due_at = g.due_at
FROM unnest(%(keys)s::bigint[], %(tries)s::int[], %(dues)s::timestamptz[]) AS g(key_id, tries, due_at)
WHERE s.run_id = %(run)s AND s.key_id = g.key_id AND s.state = 'waiting' AND s.attempts = g.tries AND {_OURS}
"""  # noqa: S608


@within(WRITE_S)
def write(run: Claimed, batch: Sequence[Tried | PutOff]) -> set[int]:
    """Write down what came of a batch of keys, in one transaction. Returns the keys that were moved on.

    What somebody else has written of a key since, or while the run is no longer ours, stands, and ours leaves no trace.
    A key that was changed since it was read, so that this is not its value, is left waiting.
    """
    tried = [one for one in batch if isinstance(one, Tried)]
    put_off = [one for one in batch if isinstance(one, PutOff)]
    with transaction.atomic(), connection.cursor() as cursor:
        if put_off:
            cursor.execute(_PUT_OFF, _of(run) | _columns_of_put_off(put_off))
        if not tried:
            return set()
        cursor.execute(HOLD, {"keys": [one.due.key_id for one in tried]})
        cursor.execute(_MOVE, _of(run) | _columns(tried))
        moved = {key_id for (key_id,) in cursor.fetchall()}
        won = [one for one in tried if one.due.key_id in moved]
        if good := [one for one in won if one.state == SyncState.SUCCEEDED]:
            cursor.execute(STORE, _columns(good) | {"bodies": [one.body for one in good]})
        if bad := [one for one in won if one.state != SyncState.SUCCEEDED]:
            cursor.execute(_NOTE, _columns(bad))
    return moved


def _of(run: Claimed) -> dict[str, Any]:
    return {"run": run.id, "worker": run.worker, "application": run.application_id}


def _columns(tried: Sequence[Tried]) -> dict[str, Any]:
    """A list for each column that the statements unnest."""
    return {
        "keys": [one.due.key_id for one in tried],
        "tries": [one.due.attempts for one in tried],
        "states": [one.state.value for one in tried],
        "dues": [one.due_at for one in tried],
        "starts": [one.started_at for one in tried],
        "ends": [one.ended_at for one in tried],
        "durations": [one.duration_ms for one in tried],
        "statuses": [one.status for one in tried],
        "sizes": [one.bytes for one in tried],
        "etags": [one.etag for one in tried],
        "classes": [one.error_class for one in tried],
        "errors": [one.error for one in tried],
        "versions": [one.due.version for one in tried],
    }


def _columns_of_put_off(put_off: Sequence[PutOff]) -> dict[str, Any]:
    return {
        "keys": [one.due.key_id for one in put_off],
        "tries": [one.due.attempts for one in put_off],
        "dues": [one.due_at for one in put_off],
    }


_COUNT = """
SELECT count(*), count(*) FILTER (WHERE state = 'succeeded'), count(*) FILTER (WHERE state = 'failed'),
       count(*) FILTER (WHERE changed), coalesce(sum(bytes) FILTER (WHERE state = 'succeeded'), 0)::bigint
FROM tasks_keysync WHERE run_id = %s
"""


@within(WRITE_S)
def counts(run_id: UUID) -> Counts:
    """Count the keys of a run."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [run_id])
        return Counts(*cursor.fetchone())


@within(WRITE_S)
def error_of(run_id: UUID) -> tuple[str, str]:
    """What was wrong with a key of a run that failed: the class of the error, and the sentence."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT error_class, error FROM tasks_keysync WHERE run_id = %s AND state = 'failed' LIMIT 1", [run_id]
        )
        error_class, error = cursor.fetchone()
    return error_class, error
