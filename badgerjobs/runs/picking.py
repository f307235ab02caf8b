"""Which queued runs a worker gets next: picked and locked here, moved to running in `lifecycle.py`."""

from collections.abc import Iterable, Sequence
from typing import Any

from badgerjobs.runs.changes import Share
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.quotas import Rooms

# Round-robin over the applications that have work, then priority, then due time. A loose index scan finds those that
# come after the one which was served last, and no more of them than can be served: so it costs the same however many
# have work. Each gives up to its share, to what it may have in one worker's hands and to what its limits leave, and
# what others hold is passed over. One that has limits, and is not told of, gives nothing.
PICKED = """
WITH RECURSIVE ahead(application_id) AS (
    (SELECT application_id FROM runs_run
     WHERE state = 'queued' AND NOT held AND queue = %(queue)s AND application_id > %(after)s
     ORDER BY application_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.application_id FROM runs_run r
            WHERE r.state = 'queued' AND NOT r.held AND r.queue = %(queue)s AND r.application_id > ahead.application_id
            ORDER BY r.application_id LIMIT 1)
    FROM ahead WHERE ahead.application_id IS NOT NULL
), behind(application_id) AS (
    (SELECT application_id FROM runs_run
     WHERE state = 'queued' AND NOT held AND queue = %(queue)s AND application_id <= %(after)s
     ORDER BY application_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.application_id FROM runs_run r
            WHERE r.state = 'queued' AND NOT r.held AND r.queue = %(queue)s
              AND r.application_id > behind.application_id AND r.application_id <= %(after)s
            ORDER BY r.application_id LIMIT 1)
    FROM behind WHERE behind.application_id IS NOT NULL
), waiting AS MATERIALIZED (
    SELECT application_id FROM (SELECT application_id FROM ahead UNION ALL SELECT application_id FROM behind) found
    WHERE application_id IS NOT NULL LIMIT %(looked_at)s
), open AS MATERIALIZED (
    SELECT application_id, least(%(most)s - coalesce(held.n, 0), limited.n) AS room FROM waiting
    LEFT JOIN unnest(%(holders)s::bigint[], %(holding)s::int[]) AS held(application_id, n) USING (application_id)
    LEFT JOIN unnest(%(limited)s::bigint[], %(rooms)s::int[]) AS limited(application_id, n) USING (application_id)
    WHERE coalesce(held.n, 0) < %(most)s
      AND CASE WHEN limited.n IS NULL
               THEN NOT EXISTS (SELECT FROM runs_quota q WHERE q.application_id = waiting.application_id)
               ELSE limited.n > 0 END
), share AS (
    SELECT greatest(1, ceil(%(limit)s::numeric / greatest(1, count(*))))::int AS n FROM open
), picked AS MATERIALIZED (
    SELECT r.id, r.runnable_id
    FROM (SELECT application_id, room FROM open
          ORDER BY application_id <= %(after)s, application_id LIMIT %(limit)s) w,
    LATERAL (SELECT id, runnable_id FROM runs_run
             WHERE state = 'queued' AND NOT held AND queue = %(queue)s AND application_id = w.application_id
             ORDER BY priority, due_at LIMIT least((SELECT n FROM share), w.room) FOR UPDATE SKIP LOCKED) r
    LIMIT %(limit)s
)"""


def columns_of(share: Share, rooms: Rooms, limit: int) -> dict[str, Any]:
    """What a claim of so many runs is given of shares and limits: a list for each column."""
    # Of those that are looked at these may have nothing to give.
    full = sum(n >= share.most for n in share.held.values()) + rooms.owners
    return {
        "after": share.after,
        "looked_at": limit + full,
        "most": share.most,
        "holders": list(share.held),
        "holding": list(share.held.values()),
        "limited": list(rooms.free),
        "rooms": list(rooms.free.values()),
    }


def claimed_of(rows: Iterable[Sequence[Any]]) -> list[Claimed]:
    """What a claim returned, as values."""
    return [Claimed(*row) for row in rows]


# Runs whose wait is over. What others hold is passed over.
WAITED = """
SELECT id, runnable_id FROM runs_run WHERE state IN ('scheduled', 'retrying') AND due_at <= %s
ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
"""
