"""Turns due into queued: reads what is due, plans what comes after it, and writes both in one transaction."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from badgerjobs.lib.schedule import ScheduleError
from badgerjobs.runs import lifecycle
from badgerjobs.runs.changes import Planned
from badgerjobs.runs.schedules import schedule_of

logger = logging.getLogger(__name__)

# Occurrences that one tick may take: enough to fill every slot, few enough to commit within some tens of milliseconds.
BATCH = 1000
# How far ahead beat looks at the most. What becomes due sooner than that must be told to it on this channel.
HORIZON = timedelta(seconds=1)
CHANNEL = "runs_due"


@dataclass(frozen=True, slots=True)
class Tick:
    """What a tick did: its clock, the new work by queue, when the next is due, and whether more is due already."""

    now: datetime
    queued: Counter[str] = field(default_factory=Counter)
    next_due: datetime | None = None
    more: bool = False


_LOOK = """
SELECT clock_timestamp(), least(
    (SELECT next_run_at FROM runs_runnable WHERE next_run_at IS NOT NULL ORDER BY next_run_at LIMIT 1),
    (SELECT due_at FROM runs_run WHERE state IN ('scheduled', 'retrying') ORDER BY due_at LIMIT 1))
"""

_COLUMNS = "id, next_run_at, run_at, run_every, cron, preset, time_zone, anchor"

_CLAIM = f"""
SELECT {_COLUMNS} FROM runs_runnable WHERE next_run_at <= %(now)s
ORDER BY next_run_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
"""  # noqa: S608

# When one batch does not hold all that is due, nobody's pile may stand before the others': each application gives a
# share.
_CLAIM_FAIRLY = f"""
WITH RECURSIVE due(application_id) AS (
    (SELECT application_id FROM runs_runnable WHERE next_run_at <= %(now)s ORDER BY application_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.application_id FROM runs_runnable r
            WHERE r.application_id > due.application_id AND r.next_run_at <= %(now)s ORDER BY r.application_id LIMIT 1)
    FROM due WHERE due.application_id IS NOT NULL
), share AS (SELECT greatest(1, %(limit)s / greatest(1, count(application_id))) AS n FROM due)
SELECT r.* FROM (SELECT application_id FROM due WHERE application_id IS NOT NULL ORDER BY random() LIMIT %(limit)s) d,
LATERAL (SELECT {_COLUMNS} FROM runs_runnable WHERE application_id = d.application_id AND next_run_at <= %(now)s
         ORDER BY next_run_at LIMIT (SELECT n FROM share) FOR NO KEY UPDATE SKIP LOCKED) r
LIMIT %(limit)s
"""  # noqa: S608


def tick(limit: int = BATCH) -> Tick:
    """One tick, by the database's clock. Any number of processes may tick at once: none takes another's occurrence.

    1. Look: when nothing is due, this one statement is the whole tick.
    2. Take what is due, fairly when it is more than a batch, and plan each one's next time.
    3. Queue the occurrences, queue the runs whose wait is over, and fail the retries that were overtaken.
    """
    now, first_due = _look()
    if first_due is None or first_due > now:
        return Tick(now, next_due=first_due)
    with transaction.atomic():
        planned = _plan(now, limit)
        queued = Counter(lifecycle.queue_planned(planned, now)) if planned else Counter[str]()
        if planned:
            lifecycle.supersede([one.runnable_id for one in planned], now=now)
        woken = lifecycle.queue_waiting(now, limit)
        queued.update(woken)
    return Tick(now, queued, first_due, more=len(planned) >= limit or len(woken) >= limit)


def _look() -> tuple[datetime, datetime | None]:
    with connection.cursor() as cursor:
        cursor.execute(_LOOK)
        now, first_due = cursor.fetchone()
    return now, first_due


def _plan(now: datetime, limit: int) -> list[Planned]:
    rows = _rows(_CLAIM, now, limit)
    if len(rows) == limit:
        # The rows of the first claim are locked by us already: they fill what the shares leave of the batch.
        shares = _rows(_CLAIM_FAIRLY, now, limit)
        rows = list({row[0]: row for row in (*shares, *rows)}.values())[:limit]
    return [Planned(row[0], row[1], _next_time(row[2:], now)) for row in rows]


def _rows(sql: str, now: datetime, limit: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"now": now, "limit": limit})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _next_time(row: tuple[Any, ...], now: datetime) -> datetime | None:
    _, run_every, cron, preset, _, _ = row
    if not (run_every or cron or preset):
        return None
    try:
        return schedule_of(*row).next_after(now)
    except ScheduleError:
        # A zone that a new tzdata dropped, say. One bad row must not stop everybody's schedule; this one is planned
        # no more, and its page says so.
        return None
    except Exception:
        logger.exception("a schedule cannot be computed, and is planned no more: %s", row)
        return None
