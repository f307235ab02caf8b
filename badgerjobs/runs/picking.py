"""Which queued runs a worker gets next: picked and locked here, moved to running in `lifecycle.py`."""

from collections.abc import Iterable, Sequence
from typing import Any

from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.quotas import Rooms
from badgerjobs.runs.turns import Open, Share, Turn

# Of the applications that have work so many are looked at together at least, and so many at most once one was found
# that may have more. Whoever comes after them is looked at the next time.
FEWEST, MOST = 50, 500

# A loose index scan: one probe for each application that has work, however much that is.
_LOOK = """
WITH RECURSIVE ahead(application_id) AS (
    (SELECT application_id FROM runs_run
     WHERE state = 'queued' AND NOT held AND queue = %(queue)s AND application_id > %(after)s
     ORDER BY application_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.application_id FROM runs_run r
            WHERE r.state = 'queued' AND NOT r.held AND r.queue = %(queue)s AND r.application_id > ahead.application_id
            ORDER BY r.application_id LIMIT 1)
    FROM ahead WHERE ahead.application_id IS NOT NULL
)
SELECT application_id,
       (SELECT workspace_id FROM workspaces_application a WHERE a.id = ahead.application_id),
       EXISTS (SELECT FROM runs_quota q WHERE q.application_id = ahead.application_id)
FROM ahead WHERE application_id IS NOT NULL LIMIT %(most)s
"""

# In the order of priority and due time of each; what others hold is passed over. The limit says no more than the shares
# do: by it the database knows beforehand how few rows these are.
PICKED = """
WITH picked AS MATERIALIZED (
    SELECT r.id, r.runnable_id, turn.workspace_id
    FROM unnest(%(applications)s::bigint[], %(workspaces)s::bigint[], %(shares)s::int[])
        AS turn(application_id, workspace_id, runs),
    LATERAL (SELECT id, runnable_id FROM runs_run
             WHERE state = 'queued' AND NOT held AND queue = %(queue)s AND application_id = turn.application_id
             ORDER BY priority, due_at LIMIT turn.runs FOR UPDATE SKIP LOCKED) r
    LIMIT %(limit)s
)"""


def turns(cursor: Any, *, queue: str, limit: int, share: Share, rooms: Rooms) -> list[Turn]:
    """Whose runs, and how many of each, a claim of so many is to take. Empty when nobody may begin any."""
    found = _found(cursor, queue, limit, share, rooms)
    workspaces = {one.workspace_id for one in found}
    return share.rota.turns(found, limit, {one: share.room_of_workspace(one) for one in workspaces})


def _found(cursor: Any, queue: str, limit: int, share: Share, rooms: Rooms) -> list[Open]:
    """Those that may begin some, until there are more workspaces than can be served, or all of them were seen.

    It begins where the last look ended. So it costs the same however many have work, and nobody is left out.
    """
    found: list[Open] = []
    workspaces: set[int] = set()
    start = after = share.rota.looked_to
    is_round, seen, most = False, 0, max(FEWEST, limit + share.full + rooms.owners + 1)
    while True:
        cursor.execute(_LOOK, {"queue": queue, "after": after, "most": most})
        rows = cursor.fetchall()
        news = [_open(*row, share=share, rooms=rooms) for row in rows if not is_round or row[0] <= start]
        found += [one for one in news if one.room]
        workspaces.update(one.workspace_id for one in news if one.room)
        if len(news) < most:
            if is_round or not start:
                share.rota.looked_to = 0
                return found
            is_round, after = True, 0
            continue
        seen, after = seen + len(rows), rows[-1][0]
        if len(workspaces) > limit or (found and seen >= MOST):
            share.rota.looked_to = after
            return found
        most = MOST // 2


def _open(application_id: int, workspace_id: int | None, is_limited: bool, *, share: Share, rooms: Rooms) -> Open:
    """How many it may begin: none when it has limits that nothing is known of."""
    workspace = workspace_id or -application_id  # it is gone: that one stands alone
    room = min(share.room_of_application(application_id), share.room_of_workspace(workspace))
    if is_limited or application_id in rooms.free:
        room = min(room, max(0, rooms.free.get(application_id, 0)))
    return Open(application_id, workspace, room)


def columns_of(given: Sequence[Turn]) -> dict[str, list[int]]:
    """The same as `PICKED` unnests it: a list for each column."""
    return {
        "applications": [turn.application_id for turn in given],
        "workspaces": [turn.workspace_id for turn in given],
        "shares": [turn.runs for turn in given],
    }


def claimed_of(rows: Iterable[Sequence[Any]]) -> list[Claimed]:
    """What a claim returned, as values."""
    return [Claimed(*row) for row in rows]


# Runs whose wait is over. What others hold is passed over.
WAITED = """
SELECT id, runnable_id FROM runs_run WHERE state IN ('scheduled', 'retrying') AND due_at <= %s
ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
"""
