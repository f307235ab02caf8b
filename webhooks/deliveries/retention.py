"""Deletes deliveries and what they led to when that is too old, or its hook is gone; and lets go what is held for none.

What is held waits for somebody, however old it is.
"""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import connection

from badgerjobs.runs import fleet
from badgerjobs.runs.beside import Beside, Owner
from webhooks.deliveries.services import release_all_held

# By the index of application and id, whose order is that of time.
_FORGET = """
WITH old AS (
    SELECT one.id, kept.application_id
    FROM unnest(%(applications)s::bigint[], %(befores)s::uuid[], %(cutoffs)s::timestamptz[])
        AS kept (application_id, before, cutoff)
    CROSS JOIN LATERAL (
        SELECT d.id FROM webhooks_delivery d
        WHERE d.application_id = kept.application_id AND (d.application_id, d.id) < (kept.application_id, kept.before)
          AND d.received_at < kept.cutoff AND d.standing <> 'held' AND NOT EXISTS (
              SELECT FROM runs_run r
              WHERE r.id = d.run_id AND r.state IN ('queued', 'running', 'scheduled', 'retrying'))
        ORDER BY d.application_id, d.id LIMIT %(each)s FOR UPDATE OF d SKIP LOCKED
    ) AS one
), acts AS (DELETE FROM webhooks_act USING old WHERE webhooks_act.delivery_id = old.id),
gone AS (DELETE FROM webhooks_delivery USING old WHERE webhooks_delivery.id = old.id)
SELECT application_id FROM old GROUP BY application_id HAVING count(*) = %(each)s
"""

# However long a hook looks back, it is not longer than this.
SEEN_DAYS = 8
_FORGET_SEEN = f"""
DELETE FROM webhooks_seen WHERE id IN (
    SELECT id FROM webhooks_seen WHERE seen_at < %(now)s - interval '{SEEN_DAYS} days' ORDER BY seen_at LIMIT %(each)s
    FOR UPDATE SKIP LOCKED)
"""  # noqa: S608

# The newest deliveries first, as runs go; acts in the order in which their indexes have them.
_LEAVE = """
WITH left_over AS (
    SELECT id FROM {table} WHERE {owner} = %(id)s {order} LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
DELETE FROM {table} USING left_over WHERE {table}.id = left_over.id
"""


def end() -> None:
    """Let go what is held of hooks that were resumed: by the tick that ends a pause, or while it was being stored."""
    release_all_held(now=fleet.database_now())


def forget(given: Mapping[str, Any]) -> Collection[int]:
    """Delete a batch of what is too old. Returns the applications that may have more."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_SEEN, given)
        cursor.execute(_FORGET, given)
        return {application_id for (application_id,) in cursor.fetchall()}


def leave(owner: Owner, its_id: int, limit: int) -> int:
    """Delete up to so many deliveries, and as many acts, of a hook or an application that was deleted.

    Returns how many it were of the kind of which there were more.
    """
    deleted: list[int] = []
    for table, order in (("webhooks_delivery", "ORDER BY id DESC"), ("webhooks_act", "")):
        with connection.cursor() as cursor:
            statement = _LEAVE.format(table=table, owner=owner, order=order)
            cursor.execute(statement, {"id": its_id, "limit": limit})
            deleted.append(cursor.rowcount)
    return max(deleted)


DELIVERIES = Beside(end, forget, leave)
