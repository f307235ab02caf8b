"""Runs of no runnable once more: what they do stands in their input, so that nothing else need be there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.kinds import REPLAYED_ALONE
from badgerjobs.runs.models import FINAL, State

_REPLAYED = """
WITH old AS (
    SELECT r.*, a.new_id, (%(from)s + row_number() OVER (ORDER BY r.id) - 1) * %(step)s AS wait_s
    FROM unnest(%(old)s::uuid[], %(new)s::uuid[]) AS a(old_id, new_id) JOIN runs_run r ON r.id = a.old_id
    WHERE r.runnable_id IS NULL AND r.kind = ANY(%(kinds)s) AND r.state = ANY(%(over)s)
)
INSERT INTO runs_run (id, application_id, kind, queue, priority, cause, number, replay_of, state, due_at, attempts,
                      rescues, input, error, created_at)
SELECT new_id, application_id, kind, queue, priority, 'replay', 0, id,
       CASE WHEN wait_s > 0 THEN 'scheduled' ELSE 'queued' END, %(now)s + wait_s * interval '1 s', 0, 0, input, '',
       %(now)s
FROM old
RETURNING id, queue
"""


def replay_alone(run_ids: Sequence[UUID], *, now: datetime, step: float, start: int) -> list[tuple[UUID, str]]:
    """As `making.replay`, of those among these that have no runnable and are of a kind that may be replayed so."""
    values: dict[str, Any] = {
        "old": list(run_ids),
        "new": [uuid7() for _ in run_ids],
        "kinds": list(REPLAYED_ALONE),
        "over": [state.value for state in FINAL if state != State.SKIPPED],
        "now": now,
        "step": step,
        "from": start,
    }
    with connection.cursor() as cursor:
        cursor.execute(_REPLAYED, values)
        rows: list[tuple[UUID, str]] = cursor.fetchall()
    return rows
