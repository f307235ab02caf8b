"""How the last deliveries of hooks stand, for lists and pages: one statement for many hooks, whatever their history."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from webhooks.querysets import state_of

# How many marks a strip has, and how many of the newest are counted at the most.
STRIP = 20
COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Mark:
    """A delivery as a strip draws it: `state` is one of STATES."""

    id: UUID
    state: str
    received_at: datetime


_LAST = """
SELECT owner.id, d.id, d.standing, r.state, d.received_at
FROM unnest(%(ids)s::bigint[]) AS owner(id), LATERAL (
    SELECT id, standing, run_id, received_at FROM webhooks_delivery
    WHERE runnable_id = owner.id ORDER BY id DESC LIMIT %(most)s) d
LEFT JOIN runs_run r ON r.id = d.run_id
ORDER BY owner.id, d.id
"""

_COUNTS = """
SELECT d.standing, r.state, count(*) FROM (
    SELECT standing, run_id FROM webhooks_delivery WHERE runnable_id = %s ORDER BY id DESC LIMIT %s) d
LEFT JOIN runs_run r ON r.id = d.run_id GROUP BY 1, 2
"""


def last_deliveries(runnable_ids: Iterable[int], *, most: int = STRIP) -> dict[int, list[Mark]]:
    """Runnable → the last deliveries of its hook, oldest first; absent where there is none."""
    found: dict[int, list[Mark]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LAST, {"ids": list(runnable_ids), "most": most})
        for runnable_id, delivery_id, standing, run_state, received_at in cursor.fetchall():
            found.setdefault(runnable_id, []).append(Mark(delivery_id, state_of(standing, run_state), received_at))
    return found


def counts(runnable_id: int, *, most: int = COUNTED) -> dict[str, int]:
    """State → how many of the newest deliveries of a hook stand so."""
    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [runnable_id, most])
        for standing, run_state, count in cursor.fetchall():
            state = state_of(standing, run_state)
            found[state] = found.get(state, 0) + count
    return found
