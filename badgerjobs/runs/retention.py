"""Deletes what nobody asked to keep, by age or because its owner is gone: in batches that nobody waits for."""

import random
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs import fleet, incidents, remains
from badgerjobs.runs.beside import kept_beside
from badgerjobs.web.retention import forget_keys, forget_sessions
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.retention import forget_entries

BATCH = 5000
# Applications that one batch looks into. Each has its part of the batch, so that none with much keeps others waiting.
TOGETHER = 100
# How long one tick may take: short enough for a worker that is told to end, and half of the time between two ticks.
HELPING_S = 5.0

# Ids are made in the order of time, so the index by application and id finds the old ones, however long the others are
# kept. `after` steps over the dead entries that earlier batches left at the head of an application's part. Compared as
# pairs, no other index can find them: the planner would rather take the primary key, and walk through everybody's.
_PRUNE = f"""
WITH old AS (
    SELECT run.id, kept.application_id
    FROM unnest(%(applications)s::bigint[], %(afters)s::uuid[], %(befores)s::uuid[], %(cutoffs)s::timestamptz[])
        AS kept (application_id, after, before, cutoff)
    CROSS JOIN LATERAL (
        SELECT id FROM runs_run
        WHERE (application_id, id) > (kept.application_id, kept.after)
          AND (application_id, id) < (kept.application_id, kept.before)
          AND finished_at < kept.cutoff AND state IN ('succeeded', 'failed', 'aborted', 'skipped')
          AND NOT kind = ANY(%(apart)s)
        ORDER BY application_id, id LIMIT %(each)s FOR UPDATE SKIP LOCKED
    ) AS run
){remains.DELETE_OLD}
SELECT application_id, count(*), max(id::text) FROM old GROUP BY application_id
"""  # noqa: S608

# The last of the runs with which an application's part begins and that are all kept apart, however old they are.
_WALK = """
SELECT kept.application_id, last.id
FROM unnest(%(applications)s::bigint[], %(afters)s::uuid[], %(befores)s::uuid[]) AS kept (application_id, after, before)
CROSS JOIN LATERAL (
    SELECT coalesce((
        SELECT id FROM runs_run
        WHERE (application_id, id) > (kept.application_id, kept.after)
          AND (application_id, id) < (kept.application_id, kept.before)
          AND NOT kind = ANY(%(apart)s)
        ORDER BY application_id, id LIMIT 1
    ), kept.before) AS id
) AS other
CROSS JOIN LATERAL (
    SELECT id FROM runs_run
    WHERE (application_id, id) > (kept.application_id, kept.after)
      AND (application_id, id) < (kept.application_id, other.id)
    ORDER BY application_id DESC, id DESC LIMIT 1
) AS last
"""

FIRST = UUID(int=0)
# By application, up to which id this process has walked through runs that are kept apart: once, and not at each tick.
_walked: dict[int, UUID] = {}


@dataclass(frozen=True, slots=True)
class Kept:
    """An application whose runs are deleted when they ended before `cutoff`; up to the id `after` they are gone."""

    application_id: int
    cutoff: datetime
    after: UUID = FIRST


def prune(*, now: datetime | None = None, seconds: float = HELPING_S) -> int:
    """Delete runs that ended too long ago, and what the deleted left. Returns how many runs that were.

    How long is each application's own choice, or `RETENTION_DAYS`. Ends when nothing is left to delete, or after so
    many seconds: what is left waits for the next time. What the deleted left has half of them at most, so that neither
    keeps the other waiting.
    """
    began = fleet.database_now()
    now = now or began
    forget_keys(now=now)
    forget_sessions(now=now)
    forget_entries(now=now)
    for beside in kept_beside():
        beside.end()
    deleted = remains.prune_gone(until=began + timedelta(seconds=seconds / 2))
    return deleted + _prune_old(now=now, until=began + timedelta(seconds=seconds))


def _prune_old(*, now: datetime, until: datetime) -> int:
    deleted, waiting = 0, deque(_past_those_apart(_applications(now)))
    while waiting and fleet.database_now() < until:
        count, unfinished = _prune_batch([waiting.popleft() for _ in range(min(TOGETHER, len(waiting)))], now)
        deleted += count
        waiting.extend(unfinished)
    return deleted


def _applications(now: datetime) -> list[Kept]:
    rows = Application.objects.values_list("pk", "retention_days")
    found = [Kept(pk, now - timedelta(days=days or settings.RETENTION_DAYS)) for pk, days in rows]
    # When the time is not enough for all, others come first the next time.
    random.shuffle(found)
    return found


def _past_those_apart(applications: list[Kept]) -> list[Kept]:
    """The same, each from behind the runs with which it begins and that are none of ours."""
    kept = [replace(one, after=_walked.get(one.application_id, FIRST)) for one in applications]
    with connection.cursor() as cursor:
        cursor.execute(_WALK, _columns(kept))
        further: dict[int, UUID] = dict(cursor.fetchall())
    kept = [replace(one, after=further.get(one.application_id, one.after)) for one in kept]
    _walked.clear()
    _walked.update({one.application_id: one.after for one in kept if one.after != FIRST})
    return kept


def _columns(applications: list[Kept]) -> dict[str, Any]:
    return {
        "applications": [kept.application_id for kept in applications],
        "afters": [kept.after for kept in applications],
        "befores": [uuid7_floor(kept.cutoff) for kept in applications],
        "cutoffs": [kept.cutoff for kept in applications],
        "apart": [kind for beside in kept_beside() for kind in beside.apart],
    }


def _prune_batch(applications: list[Kept], now: datetime) -> tuple[int, list[Kept]]:
    """Delete the oldest of each. Returns how many runs in all, and the applications that may have more of anything."""
    each = BATCH // len(applications)
    given = {**_columns(applications), "each": each, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_PRUNE, given)
        found = {application_id: (count, UUID(newest)) for application_id, count, newest in cursor.fetchall()}
    incidents.forget(given)
    full = {application_id for application_id, (count, _) in found.items() if count == each}
    full.update(*(beside.forget(given) for beside in kept_beside()))
    return (
        sum(count for count, _ in found.values()),
        [
            replace(kept, after=found.get(kept.application_id, (0, kept.after))[1])
            for kept in applications
            if kept.application_id in full
        ],
    )
