"""Off for a while, or until somebody says otherwise, and on again. What came in between is in the ledger, in one row.

Each verb here is called within a transaction in which its runnables are locked.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from badgerjobs.lib.schedule import ScheduleError
from badgerjobs.runs import incidents, lifecycle, making, replanning
from badgerjobs.runs.breaker import PROBE_LASTS
from badgerjobs.runs.models import Breaker, Cause, Run, Runnable, SkipReason, Trouble
from badgerjobs.runs.planning import Skip
from badgerjobs.runs.replanning import accounted_until
from badgerjobs.runs.schedules import (
    BOUND_FIELDS,
    PAUSE_FIELDS,
    RHYTHM_FIELDS,
    SCHEDULE_FIELDS,
    is_through,
    occurrence_of,
)

logger = logging.getLogger(__name__)

# So many a tick lets go: each has to be computed from when it was paused on.
LET_GO_AT_ONCE = 200
# What the columns of a pause hold while there is none.
_NO_PAUSE = {"paused_at": None, "paused_until": None, "pause_reason": "", "unaccounted_since": None}
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Pause:
    """Why something is paused, and until when; None: until somebody resumes it. `breaker` is open if that did it."""

    reason: str = ""
    until: datetime | None = None
    breaker: str = Breaker.CLOSED


# From the next occurrence on: what was due already and not dispatched is among them, and nothing that a tick took while
# the pause waited for its row.
_PAUSE = """
UPDATE runs_runnable r SET
    enabled = false, paused_at = %(now)s, paused_until = p.until, pause_reason = p.reason, breaker = p.breaker,
    unaccounted_since = coalesce(coalesce(r.next_occurrence, r.next_run_at - r.offset_ms * interval '1 millisecond')
                                 - interval '1 microsecond', greatest(r.planned_at, %(now)s)),
    next_run_at = NULL, next_occurrence = NULL, updated_at = %(now)s
FROM unnest(%(ids)s::bigint[], %(untils)s::timestamptz[], %(reasons)s::text[], %(breakers)s::text[])
    AS p(id, until, reason, breaker)
WHERE r.id = p.id AND r.enabled RETURNING r.id
"""

# In the words of the partial indexes, which hold no finished run.
_WAITING = """
SELECT id FROM runs_run
WHERE (state = 'queued' AND NOT held OR held OR state IN ('scheduled', 'retrying')) AND runnable_id = ANY(%s)
"""


def pause(pauses: Mapping[int, Pause], *, now: datetime) -> list[int]:
    """Switch runnables off, each for its own reason, and abort what waits of them. Returns those that were on.

    What runs goes on.
    """
    values: dict[str, Any] = {
        "now": now,
        "ids": list(pauses),
        "untils": [one.until for one in pauses.values()],
        "reasons": [one.reason for one in pauses.values()],
        "breakers": [str(one.breaker) for one in pauses.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(_PAUSE, values)
        paused = [runnable_id for (runnable_id,) in cursor.fetchall()]
        cursor.execute(_WAITING, [paused])
        waiting = [run_id for (run_id,) in cursor.fetchall()]
    lifecycle.abort(waiting, now=now, reason="Paused before it began.", running_too=False)
    return paused


_RESUME = """
UPDATE runs_runnable r SET
    enabled = true, next_run_at = p.next_run_at, next_occurrence = p.next_occurrence, updated_at = %(now)s,
    planned_at = CASE WHEN p.next_run_at IS NULL THEN r.planned_at ELSE greatest(r.planned_at, %(now)s) END,
    paused_at = NULL, paused_until = NULL, pause_reason = '', unaccounted_since = NULL, breaker = '',
    failures_in_row = CASE WHEN r.breaker = '' THEN r.failures_in_row ELSE 0 END
FROM unnest(%(ids)s::bigint[], %(nexts)s::timestamptz[], %(occurrences)s::timestamptz[])
    AS p(id, next_run_at, next_occurrence)
WHERE r.id = p.id
"""


def resume(runnables: Sequence[Runnable], *, now: datetime, by_hand: bool) -> list[datetime | None]:
    """Switch on what is off, account for what came meanwhile, and plan. Returns the next run of each.

    `by_hand`: a person did, and knows of it.
    """
    _account(runnables, now)
    for runnable in runnables:
        runnable.enabled = True
    planned_next = replanning.resumed(runnables, now)
    values: dict[str, Any] = {
        "now": now,
        "ids": [one.pk for one in runnables],
        "nexts": [one.due for one in planned_next],
        "occurrences": [one.occurrence for one in planned_next],
    }
    with connection.cursor() as cursor:
        cursor.execute(_RESUME, values)
    nexts = zip(runnables, planned_next, strict=True)
    faults = {runnable.pk: one.fault for runnable, one in nexts if one.fault is not None}
    planned = [(one.pk, Trouble.LATE) for one in runnables if one.pk not in faults]
    incidents.close_all([*_over(runnables), *planned], now=now, by_hand=by_hand)
    if faults:
        incidents.open_unplanned(faults, now=now)
    return [one.due for one in planned_next]


def begin(runnable: Runnable, *, now: datetime) -> None:
    """Set what a new runnable says of its pause, if it begins with one. The caller saves it."""
    if not runnable.enabled:
        runnable.paused_at = runnable.unaccounted_since = now


def change(runnable: Runnable, *, before: Runnable, now: datetime) -> None:
    """Set what a changed runnable says of its pause, and account for what came meanwhile. The caller saves it.

    A schedule that is changed while it is paused, or as it is paused, counts until then; from then on, the new one
    does. What was to run once is still to come, unless that is what was changed.
    """
    is_other, has_other_rhythm = _differ(runnable, before, SCHEDULE_FIELDS), _differ(runnable, before, RHYTHM_FIELDS)
    is_new = has_other_rhythm or (_differ(runnable, before, BOUND_FIELDS) and before.schedule.is_recurring)
    if is_other and not before.enabled:
        _account([before], now, once_too=has_other_rhythm)
        if is_new or before.schedule.is_recurring:
            _set(runnable, unaccounted_since=now, planned_at=before.planned_at if is_through(before) else now)
    elif is_new:
        _account_dropped(runnable, before, now)
    if is_other:  # planned again, if its schedule could not be computed any more
        incidents.close_all([(runnable.pk, Trouble.LATE)], now=now, by_hand=True)
    if runnable.enabled:
        _set(runnable, **_NO_PAUSE, breaker=Breaker.CLOSED.value)
        if not before.enabled:
            runnable.failures_in_row = 0 if before.breaker else before.failures_in_row
            incidents.close_all(_over([before]), now=now, by_hand=True)
    elif before.enabled:
        following = None if is_new else occurrence_of(before)
        _set(runnable, paused_at=now, unaccounted_since=following - _INSTANT if following else now)
    elif _differ(runnable, before, PAUSE_FIELDS):
        # Now it is a person's pause, and nothing is tried before they say so.
        runnable.breaker = Breaker.CLOSED.value
        incidents.close_all([(runnable.pk, Trouble.PAUSED)], now=now, by_hand=True)


def _differ(runnable: Runnable, before: Runnable, names: Iterable[str]) -> bool:
    return any(getattr(runnable, name) != getattr(before, name) for name in names)


def _account_dropped(runnable: Runnable, before: Runnable, now: datetime) -> None:
    """What had come, was not dispatched before its schedule was changed, and is not run by the new one either."""
    following = occurrence_of(before)
    if following is None:
        return
    since = following - _INSTANT
    if runnable.next_run_at and not _differ(runnable, before, RHYTHM_FIELDS):  # those up to its new end still are
        since = max(since, runnable.end_at or now)
    if missed := before.schedule.missed(since, now):
        making.skip([(before.pk, Skip(SkipReason.MISSED, missed.first, missed.last, missed.count))], now=now)


def _set(runnable: Runnable, **columns: object) -> None:
    for name, value in columns.items():
        setattr(runnable, name, value)


def _over(resumed: Sequence[Runnable]) -> list[tuple[int, Trouble]]:
    """Which troubles end with a pause; what the breaker counted, begins anew."""
    everything = [Trouble.PAUSED, Trouble.FAILED, Trouble.WARNED]
    return [(one.pk, trouble) for one in resumed for trouble in (everything if one.breaker else [Trouble.PAUSED])]


def _account(runnables: Sequence[Runnable], now: datetime, *, once_too: bool = False) -> None:
    counted = [one for one in runnables if once_too or one.schedule.is_recurring]
    if skips := _came(counted, now):
        making.skip(skips, now=now)


def _came(runnables: Sequence[Runnable], now: datetime) -> list[tuple[int, Skip]]:
    """What of each came while it was off. What was to run once is run when it is on again, if it is not dropped."""
    found = []
    for runnable in runnables:
        if runnable.unaccounted_since is None or is_through(runnable):
            continue
        try:
            missed = runnable.schedule.missed(runnable.unaccounted_since, accounted_until(runnable, now))
        except ScheduleError:
            continue
        except Exception:  # one bad row must not stop everybody's
            logger.exception("what a schedule missed cannot be computed: %s", runnable.pk)
            continue
        if missed:
            found.append((runnable.pk, Skip(SkipReason.PAUSED, missed.first, missed.last, missed.count)))
    return found


# What others hold is met again with the next tick.
_COME = """
SELECT id, breaker FROM runs_runnable WHERE paused_until <= %s
ORDER BY paused_until LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
"""

_HALF_OPEN = "UPDATE runs_runnable SET breaker = 'half_open', paused_until = %s WHERE id = ANY(%s)"

# What has no schedule any more is called when somebody asks for it, and not before: it stays paused until then.
_UNASKED = """
UPDATE runs_runnable SET paused_until = NULL
WHERE id = ANY(%s) AND run_at IS NULL AND run_every = '' AND cron = '' AND preset = '' RETURNING id
"""


def let_go(*, now: datetime, limit: int = LET_GO_AT_ONCE) -> tuple[int, list[str]]:
    """Resume those whose pause is over; of what the breaker paused, one run tries whether it is well again.

    Returns how many there were, and the queue of each of those runs.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COME, [now, limit])
        come = dict(cursor.fetchall())
    paused = [runnable_id for runnable_id, breaker in come.items() if not breaker]
    if paused:
        resume(list(Runnable.objects.filter(pk__in=paused).order_by("pk")), now=now, by_hand=False)
    broken = sorted(come.keys() - set(paused))
    return len(come), _probe(broken, now) if broken else []


def _probe(runnable_ids: Sequence[int], now: datetime) -> list[str]:
    """One run for each that has a schedule and none under way. One that gets lost is made again after a while."""
    with connection.cursor() as cursor:
        cursor.execute(_UNASKED, [list(runnable_ids)])
        runnable_ids = sorted(set(runnable_ids) - {runnable_id for (runnable_id,) in cursor.fetchall()})
    trying = set(
        Run.objects.filter(runnable_id__in=runnable_ids, cause=Cause.PROBE)
        .unfinished()
        .values_list("runnable_id", flat=True)
    )
    wanted = [runnable_id for runnable_id in runnable_ids if runnable_id not in trying]
    made = making.queue_all_now(wanted, cause=Cause.PROBE, now=now)
    with connection.cursor() as cursor:
        cursor.execute(_HALF_OPEN, [now + PROBE_LASTS, list(runnable_ids)])
    return [queue for _, queue in made]
