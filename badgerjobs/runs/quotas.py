"""How much applications that have a limit may begin now: asked and booked in the transaction of a claim.

The row of its limits is locked for as long, so that of two claims at once the second one sees what the first one took.
Nobody waits for such a lock: what another claim has at this moment is asked for again a moment later.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection

from badgerjobs.lib import buckets
from badgerjobs.runs.kinds import Claimed

# How soon it is worth asking again, in seconds.
SOON_S = 0.1

# All that there is to ask when no application has a limit.
_HOW_MANY = "SELECT count(*) FROM runs_quota"

# Of those that have queued work and are not at their limit anyway, so many as one claim can serve. Those that another
# claim has locked come back empty.
_LOCK = """
WITH asked AS MATERIALIZED (
    SELECT q.application_id
    FROM runs_quota q LEFT JOIN (
        SELECT application_id, count(*) AS n FROM runs_run WHERE state = 'running' GROUP BY application_id
    ) running USING (application_id)
    WHERE (q.concurrent_runs IS NULL OR coalesce(running.n, 0) < q.concurrent_runs) AND EXISTS (
        SELECT FROM runs_run r
        WHERE r.state = 'queued' AND NOT r.held AND r.queue = %(queue)s AND r.application_id = q.application_id)
    ORDER BY random() LIMIT %(limit)s
), locked AS (
    SELECT q.* FROM runs_quota q JOIN asked USING (application_id) FOR NO KEY UPDATE OF q SKIP LOCKED
)
SELECT asked.application_id, locked.application_id IS NOT NULL, locked.concurrent_runs, locked.runs_per_minute,
       locked.tokens, locked.filled_at
FROM asked LEFT JOIN locked USING (application_id)
"""

# A statement of its own: it sees what was committed before we got the locks.
_RUNNING = """
SELECT application_id, count(*) FROM runs_run WHERE state = 'running' AND application_id = ANY(%s)
GROUP BY application_id
"""

_SPEND = """
UPDATE runs_quota q SET tokens = s.tokens, filled_at = greatest(q.filled_at, %s)
FROM unnest(%s::bigint[], %s::float8[]) AS s(application_id, tokens) WHERE q.application_id = s.application_id
"""

# In one order: of two workers that hand back runs of the same applications, none has what the other waits for.
_LOCK_IN_ORDER = """
SELECT application_id FROM runs_quota WHERE application_id = ANY(%s) AND runs_per_minute IS NOT NULL
ORDER BY application_id FOR NO KEY UPDATE
"""

_GIVE_BACK = """
UPDATE runs_quota q SET tokens = q.tokens + b.n FROM unnest(%s::bigint[], %s::int[]) AS b(application_id, n)
WHERE q.application_id = b.application_id
"""


@dataclass(frozen=True, slots=True)
class Rooms:
    """Application → how many runs it may begin now. One that has a limit and is not here may begin none.

    `counted` are those of which the end of a run lets another begin. `buckets`: how many a minute, and what is left of
    them. `again_s` is how soon there may be more for what waits, in seconds; None: when a run ends, or more is queued.
    `owners`: how many applications have a limit.
    """

    free: dict[int, int] = field(default_factory=dict)
    counted: frozenset[int] = frozenset()
    buckets: dict[int, tuple[int, float]] = field(default_factory=dict)
    again_s: float | None = None
    owners: int = 0


NO_LIMITS = Rooms()


def rooms(*, queue: str, limit: int, now: datetime) -> Rooms:
    """Lock what a claim of so many runs may take of applications that have a limit. Within its transaction.

    One statement when no application has one, three however many have.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOW_MANY)
        (many,) = cursor.fetchone()
        if not many:
            return NO_LIMITS
        cursor.execute(_LOCK, {"queue": queue, "limit": limit})
        rows = cursor.fetchall()
        locked = [row for _, is_locked, *row in rows if is_locked]
        owners = [owner for owner, is_locked, *_ in rows if is_locked]
        counted = [owner for owner, row in zip(owners, locked, strict=True) if row[0] is not None]
        running = _running(cursor, counted) if counted else {}
    found = _rooms(zip(owners, locked, strict=True), running, is_crowded=len(locked) < len(rows), now=now)
    return replace(found, owners=many)


def _running(cursor: Any, owners: list[int]) -> dict[int, int]:
    cursor.execute(_RUNNING, [owners])
    return dict.fromkeys(owners, 0) | dict(cursor.fetchall())


def _rooms(locked: Iterable[tuple[int, Any]], running: dict[int, int], *, is_crowded: bool, now: datetime) -> Rooms:
    free: dict[int, int] = {}
    left: dict[int, tuple[int, float]] = {}
    waits = [0.0] if is_crowded else []
    for owner, (at_once, per_minute, tokens, filled_at) in locked:
        room = at_once - running[owner] if at_once is not None else None
        if per_minute is not None:
            there = buckets.filled(tokens, per_minute, (now - filled_at).total_seconds())
            left[owner] = per_minute, there
            if room is None or room > int(there):
                # It may have more waiting than this: when the bucket has one more, somebody should look.
                waits.append(buckets.seconds_to_one(there % 1, per_minute))
                room = int(there)
        free[owner] = room or 0
    return Rooms(free, frozenset(running), left, max(SOON_S, min(waits)) if waits else None)


def spend(given: Rooms, claimed: Iterable[Claimed], *, now: datetime) -> None:
    """Take from the buckets what each application began. Nothing is written for those that began none."""
    if not given.buckets:
        return
    begun = Counter(run.application_id for run in claimed)
    spent = {owner: left - begun[owner] for owner, (_, left) in given.buckets.items() if begun[owner]}
    if spent:
        with connection.cursor() as cursor:
            cursor.execute(_SPEND, [now, list(spent), list(spent.values())])


def give_back(owners: Iterable[int]) -> None:
    """Fill in again what was taken for runs that did not begin, each by its application. Within a transaction.

    One statement when none of them has a limit of runs a minute.
    """
    if not (untried := Counter(owners)):
        return
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_IN_ORDER, [list(untried)])
        if locked := [owner for (owner,) in cursor.fetchall()]:
            cursor.execute(_GIVE_BACK, [locked, [untried[owner] for owner in locked]])
