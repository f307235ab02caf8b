"""Turns due into queued: reads what is due, plans what comes after it, and writes both in one transaction."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from badgerjobs.lib.schedule import ScheduleError
from badgerjobs.runs import consequences, incidents, lifecycle, making, outages, pausing
from badgerjobs.runs.models import Overlap, SkipReason
from badgerjobs.runs.planning import CAUGHT_UP_AT_ONCE, Active, Due, Occurrence, Plan, plan
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
    (SELECT due_at FROM runs_run WHERE state IN ('scheduled', 'retrying') ORDER BY due_at LIMIT 1)),
    (SELECT paused_until FROM runs_runnable WHERE paused_until IS NOT NULL ORDER BY paused_until LIMIT 1)
"""

_COLUMNS = (
    "id, next_run_at, next_occurrence, offset_ms, overlap, catch_up, catch_up_within_s, max_runs, scheduled_runs,"
    " run_at, run_every, cron, preset, time_zone, anchor, end_at"
)

_CLAIM = f"""
SELECT {_COLUMNS} FROM runs_runnable WHERE next_run_at <= %(now)s
ORDER BY next_run_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
"""  # noqa: S608

# When one batch does not hold all that is due, nobody's pile may stand before the others': each application gives a
# share.
_CLAIM_FAIRLY = """
WITH RECURSIVE due(application_id) AS (
    (SELECT application_id FROM runs_runnable WHERE next_run_at <= %(now)s ORDER BY application_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.application_id FROM runs_runnable r
            WHERE r.application_id > due.application_id AND r.next_run_at <= %(now)s ORDER BY r.application_id LIMIT 1)
    FROM due WHERE due.application_id IS NOT NULL
), share AS (SELECT greatest(1, %(limit)s / greatest(1, count(application_id))) AS n FROM due)
SELECT r.id FROM (SELECT application_id FROM due WHERE application_id IS NOT NULL ORDER BY random() LIMIT %(limit)s) d,
LATERAL (SELECT id FROM runs_runnable WHERE application_id = d.application_id AND next_run_at <= %(now)s
         ORDER BY next_run_at LIMIT (SELECT n FROM share) FOR NO KEY UPDATE SKIP LOCKED) r
LIMIT %(limit)s
"""

_READ = f"SELECT {_COLUMNS} FROM runs_runnable WHERE id = ANY(%(ids)s)"  # noqa: S608


def tick(limit: int = BATCH) -> Tick:
    """One tick, by the database's clock. Any number of processes may tick at once: none takes another's occurrence.

    1. Look: when nothing is due, this one statement is the whole tick.
    2. Take what is due, fairly when it is more than a batch, and plan each: what is run, what is not, and what is next.
    3. Queue the occurrences, account for those that are not run, queue the runs whose wait is over, and fail the
       retries that were overtaken. What came while nothing was dispatched is an incident.
    4. Let go, in a transaction of its own, what is not paused any longer.
    """
    now, first_due, first_end = _look()
    done = Tick(now)
    if first_due and first_due <= now:
        done = _dispatch(now, limit)
    if first_end and first_end <= now:
        with transaction.atomic():
            count, queues = pausing.let_go(now=now)
        done.queued.update(queues)
        done = replace(done, more=done.more or count >= pausing.LET_GO_AT_ONCE)
    return replace(done, next_due=min(filter(None, (first_due, first_end)), default=None))


def _dispatch(now: datetime, limit: int) -> Tick:
    with transaction.atomic():
        due = _take(now, limit)
        plans = _plan(due, now, limit)
        queued = Counter(_carry_out(plans, now))
        is_behind = len(due) >= limit or _is_behind(plans, now)
        outages.record(outages.overdue_of(due, plans, now), has_more=is_behind, now=now)
        woken = lifecycle.queue_waiting(now, limit)
        queued.update(woken)
    return Tick(now, queued, more=is_behind or len(woken) >= limit)


def _look() -> tuple[datetime, datetime | None, datetime | None]:
    """The clock, when the first thing is due, and when the first pause ends."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK)
        now, first_due, first_end = cursor.fetchone()
    return now, first_due, first_end


def _take(now: datetime, limit: int) -> list[Due]:
    """Lock what is due; nobody else has any of it until this transaction ends."""
    rows = _rows(_CLAIM, now=now, limit=limit)
    if len(rows) == limit:
        # The rows of the first claim are locked by us already: they fill what the shares leave of the batch.
        found = {row[0]: row for row in rows}
        shares = [runnable_id for (runnable_id,) in _rows(_CLAIM_FAIRLY, now=now, limit=limit)]
        if others := [runnable_id for runnable_id in shares if runnable_id not in found]:
            found.update({row[0]: row for row in _rows(_READ, ids=others)})
        rows = [found[runnable_id] for runnable_id in list(dict.fromkeys((*shares, *found)))[:limit]]
    return [_due(*row) for row in rows]


def _rows(sql: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _due(  # noqa: PLR0913, PLR0917  a row's columns, in their order
    runnable_id: int,
    next_run_at: datetime,
    next_occurrence: datetime | None,
    offset_ms: int,
    overlap: str,
    catch_up: str,
    within_s: int | None,
    max_runs: int | None,
    scheduled_runs: int,
    *schedule: Any,
) -> Due:
    offset = timedelta(milliseconds=offset_ms)
    return Due(
        runnable_id,
        next_run_at - offset,
        schedule_of(*schedule),
        offset,
        overlap,
        catch_up,
        timedelta(seconds=within_s) if within_s is not None else None,
        max(0, max_runs - scheduled_runs) if max_runs is not None else None,
        next_occurrence,
    )


# Only what the next occurrence would overlap with is looked for, and only for those that mind.
_ACTIVE = """
SELECT id, held, EXISTS (
    SELECT FROM runs_run WHERE runnable_id = found.id AND cause <> 'schedule' AND state IN ('queued', 'running')
    AND NOT held) OR EXISTS (SELECT FROM runs_run WHERE runnable_id = found.id AND cause <> 'schedule' AND held)
FROM (
    SELECT r.id, EXISTS (SELECT FROM runs_run WHERE runnable_id = r.id AND held) AS held,
           EXISTS (SELECT FROM runs_run
                   WHERE runnable_id = r.id AND state IN ('queued', 'running') AND NOT held)
           -- Its host had no room for it: it was put off, and is not over.
           OR EXISTS (SELECT FROM runs_run
                      WHERE runnable_id = r.id AND state = 'scheduled' AND cause = 'schedule') AS active
    FROM unnest(%s::bigint[]) AS r(id)) found
WHERE held OR active
"""


def _plan(due: Sequence[Due], now: datetime, limit: int) -> list[Plan]:
    """Decide on each of them. Their runnables are locked: nobody makes a run of theirs in the meantime."""
    minding = [one.runnable_id for one in due if one.overlap != Overlap.ALLOW]
    active: dict[int, Active] = {}
    if minding:
        with connection.cursor() as cursor:
            cursor.execute(_ACTIVE, [minding])
            active = {one: Active(any=True, held=held, asked=asked) for one, held, asked in cursor.fetchall()}
    # However many catch up, a tick makes about as many runs as it may take.
    at_once = min(CAUGHT_UP_AT_ONCE, max(1, limit // max(1, len(due))))
    return [_planned(one, active.get(one.runnable_id, Active()), now, at_once) for one in due]


def _planned(due: Due, active: Active, now: datetime, at_once: int) -> Plan:
    try:
        return plan(due, active, now, at_once=at_once)
    except ScheduleError as error:
        # A zone that a new tzdata dropped, say. One bad row must not stop everybody's schedule; this one is planned
        # no more, and an incident says so.
        fault = str(error)
    except Exception:
        logger.exception("a schedule cannot be computed, and is planned no more: %s", due)
        fault = ""
    run = Occurrence(due.named(due.occurrence), due.occurrence + due.offset)
    return Plan(due.runnable_id, None, [run], fault=fault)


def _carry_out(plans: Sequence[Plan], now: datetime) -> list[str]:
    """Write what was decided, in as many statements for a thousand as for one. Returns the queue of each new run."""
    if not plans:
        return []
    if cancelled := [one.runnable_id for one in plans if one.cancels]:
        lifecycle.overtake(cancelled, now=now)
    # In the order of their times: what was missed, what is run, what would overlap with that. A row of skipped ones
    # grows while it is the last.
    _skip(plans, SkipReason.MISSED, now)
    queued = making.queue_planned(plans, now)
    _skip(plans, SkipReason.OVERLAP, now)
    if faults := {one.runnable_id: one.fault for one in plans if one.fault is not None}:
        incidents.open_unplanned(faults, now=now)
    if overtaken := lifecycle.supersede([one.runnable_id for one in plans if one.runs], now=now):
        endings = consequences.of_failed(overtaken, now=now)
        consequences.follow(consequences.hold(endings), endings)
    return queued


def _skip(plans: Sequence[Plan], reason: SkipReason, now: datetime) -> None:
    if skips := [(one.runnable_id, skip) for one in plans for skip in one.skips if skip.reason == reason]:
        making.skip(skips, now=now)


def _is_behind(plans: Sequence[Plan], now: datetime) -> bool:
    """Whether one of them is due again already: it catches up more than one tick may."""
    return any(one.next_run_at and one.next_run_at <= now for one in plans)
