"""Makes runs of deliveries, many in one statement each. None of them is counted: their hook's row is left alone.

Acceptance stores a delivery with its first run by itself; these are all other runs.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from badgerjobs.lib.ids import uuid7s
from badgerjobs.runs.models import Cause, Queue
from badgerjobs.runs.worker import ring_after_commit

# Who deletes their hooks meanwhile waits, and then finds the new runs too. Acceptance and ticks do not wait for this.
_HOOKS = """
SELECT id FROM runs_runnable WHERE id IN (
    SELECT runnable_id FROM webhooks_delivery WHERE application_id = %s AND id = ANY(%s))
ORDER BY id FOR KEY SHARE
"""

_HOLD = """
SELECT id FROM webhooks_delivery WHERE application_id = %s AND id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""

# Of those that are locked, each gets a run unless its newest one goes on. No two are made at the same moment: of two
# values the one stays that is of a later one.
# The new run of one that was held goes on with what the one before it, which the pause ended, had planned and partly
# done, and names that as the one that it repeats. Where that was a replay, it is one too: it still waits for as long as
# that had to wait when the pause came, and was asked for when that was.
_MAKE = """
WITH given AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(run_ids)s::uuid[], %(repeats)s::uuid[]) WITH ORDINALITY
        AS g(id, run_id, repeats, n)
), meant AS (
    SELECT d.id, d.application_id, d.runnable_id, d.run_id AS old_id, d.standing, old.output, g.run_id, o.priority,
           CASE WHEN again.asked_at IS NULL THEN %(cause)s ELSE 'replay' END AS cause, again.asked_at,
           CASE WHEN %(cause)s = 'replay' THEN coalesce(g.repeats, d.run_id) ELSE old.id END AS repeats,
           row_number() OVER (ORDER BY g.n) - 1 + %(from)s AS place,
           coalesce(again.wait_s, (row_number() OVER (ORDER BY g.n) - 1 + %(from)s) * %(step)s) AS wait_s
    FROM given g JOIN webhooks_delivery d ON d.id = g.id JOIN runs_runnable o ON o.id = d.runnable_id
    LEFT JOIN runs_run old ON old.id = d.run_id
    LEFT JOIN LATERAL (
        SELECT coalesce(old.input->'asked_at', to_jsonb(old.created_at)) AS asked_at,
               greatest(extract(epoch FROM old.due_at - old.finished_at), 0) AS wait_s
    ) again ON d.standing = 'held' AND old.cause = 'replay'
    WHERE d.application_id = %(application)s AND d.standing = ANY(%(standings)s)
      AND (old.id IS NULL OR old.state IN ('succeeded', 'failed', 'aborted'))
), made AS (
    INSERT INTO runs_run (id, application_id, runnable_id, kind, queue, priority, cause, number, replay_of, state,
                          due_at, attempts, rescues, input, output, error, created_at)
    SELECT run_id, application_id, runnable_id, 'delivery', %(queue)s, priority, cause, 0, repeats,
           CASE WHEN wait_s > 0 THEN 'scheduled' ELSE 'queued' END,
           %(now)s::timestamptz + wait_s * interval '1 s', 0, 0,
           jsonb_strip_nulls(jsonb_build_object('delivery', id, 'asked_at', asked_at)),
           CASE WHEN standing = 'held' THEN output END, '',
           %(now)s::timestamptz + place * interval '1 microsecond'
    FROM meant
), taken_over AS (
    UPDATE webhooks_act a SET run_id = meant.run_id
    FROM meant WHERE meant.standing = 'held' AND a.delivery_id = meant.id AND a.run_id = meant.old_id
)
UPDATE webhooks_delivery d SET run_id = meant.run_id, standing = 'accepted', reason = ''
FROM meant WHERE d.id = meant.id RETURNING d.id
"""


def make_runs(  # noqa: PLR0913
    application_id: int,
    delivery_ids: Sequence[UUID],
    *,
    standings: Sequence[str],
    cause: Cause,
    now: datetime,
    step: float = 0,
    start: int = 0,
    repeats: Mapping[UUID, UUID] | None = None,
) -> list[UUID]:
    """Give each of these deliveries a new run, in this order, if it stands so and no run of it goes on.

    Called within a transaction. With a `step` the n-th of them, counted from `start`, waits n times as many seconds.
    A replay names the newest run of its delivery, or the one that `repeats` says of that. What was held and is a replay
    says in its input when it was asked for. Returns those that got one.
    """
    meant: list[Any] = [application_id, list(delivery_ids)]
    values: dict[str, Any] = {
        "application": application_id,
        "ids": list(delivery_ids),
        "run_ids": uuid7s(now, len(delivery_ids)),
        "repeats": [(repeats or {}).get(each) for each in delivery_ids],
        "standings": [str(standing) for standing in standings],
        "queue": Queue.IO.value,
        "cause": cause.value,
        "now": now,
        "step": step,
        "from": start,
    }
    with connection.cursor() as cursor:
        cursor.execute(_HOOKS, meant)
        # Statements of their own: each sees what was committed before we got the locks.
        cursor.execute(_HOLD, meant)
        cursor.execute(_MAKE, values)
        made = [delivery_id for (delivery_id,) in cursor.fetchall()]
    if made:
        ring_after_commit(Queue.IO)
    return made
