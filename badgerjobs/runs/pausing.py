"""Off for a while, or until somebody says otherwise, and on again. What came in between is in the ledger, in one row.

Each verb here is called within a transaction in which its runnables are locked.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F

from badgerjobs.lib.schedule import ScheduleError
from badgerjobs.runs import incidents, lifecycle, making
from badgerjobs.runs.breaker import PROBE_LASTS
from badgerjobs.runs.models import Breaker, Cause, Run, Runnable, SkipReason, State, Trouble
from badgerjobs.runs.planning import Skip
from badgerjobs.runs.schedules import PAUSE_FIELDS, SCHEDULE_FIELDS, due_for

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
    unaccounted_since = coalesce(r.next_run_at - r.offset_ms * interval '1 millisecond'
                                 - interval '1 microsecond', %(now)s),
    next_run_at = NULL, updated_at = %(now)s
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
    enabled = true, next_run_at = p.next_run_at, updated_at = %(now)s, paused_at = NULL, paused_until = NULL,
    pause_reason = '', unaccounted_since = NULL, breaker = '',
    failures_in_row = CASE WHEN r.breaker = '' THEN r.failures_in_row ELSE 0 END
FROM unnest(%(ids)s::bigint[], %(nexts)s::timestamptz[]) AS p(id, next_run_at) WHERE r.id = p.id
"""


def resume(runnables: Sequence[Runnable], *, now: datetime, by_hand: bool) -> list[datetime | None]:
    """Switch on what is off, account for what came meanwhile, and plan. Returns the next run of each.

    `by_hand`: a person did, and knows of it.
    """
    _account(runnables, now)
    over = _over_once(runnables)
    for runnable in runnables:
        runnable.enabled = True
    faults: dict[int, str] = {}
    nexts = [_next(runnable, now, over, faults) for runnable in runnables]
    with connection.cursor() as cursor:
        cursor.execute(_RESUME, {"now": now, "ids": [one.pk for one in runnables], "nexts": nexts})
    planned = [(one.pk, Trouble.LATE) for one in runnables if one.pk not in faults]
    incidents.close_all([*_over(runnables), *planned], now=now, by_hand=by_hand)
    if faults:
        incidents.open_unplanned(faults, now=now)
    return nexts


def begin(runnable: Runnable, *, now: datetime) -> None:
    """Set what a new runnable says of its pause, if it begins with one. The caller saves it."""
    if not runnable.enabled:
        runnable.paused_at = runnable.unaccounted_since = now


def change(runnable: Runnable, *, before: Runnable, now: datetime) -> None:
    """Set what a changed runnable says of its pause, and account for what came meanwhile. The caller saves it.

    A schedule that is changed while it is paused counts until then; from then on, the new one does.
    """
    is_other = any(getattr(runnable, name) != getattr(before, name) for name in SCHEDULE_FIELDS)
    if is_other and not before.enabled:
        _account([before], now)
        runnable.unaccounted_since = now
    elif is_other and runnable.enabled and not _keeps(runnable, before, now):
        _account_missed(before, now)
    if is_other:  # planned again, if its schedule could not be computed any more
        incidents.close_all([(runnable.pk, Trouble.LATE)], now=now, by_hand=True)
    if runnable.enabled:
        _set(runnable, **_NO_PAUSE, breaker=Breaker.CLOSED.value)
        if not before.enabled:
            runnable.failures_in_row = 0 if before.breaker else before.failures_in_row
            incidents.close_all(_over([before]), now=now, by_hand=True)
    elif before.enabled:
        planned = _occurrence(before, before.next_run_at) - _INSTANT if before.next_run_at else now
        _set(runnable, paused_at=now, unaccounted_since=planned)
    elif any(getattr(runnable, name) != getattr(before, name) for name in PAUSE_FIELDS):
        # Now it is a person's pause, and nothing is tried before they say so.
        runnable.breaker = Breaker.CLOSED.value
        incidents.close_all([(runnable.pk, Trouble.PAUSED)], now=now, by_hand=True)


def _account_missed(before: Runnable, now: datetime) -> None:
    """What had come, and was not dispatched before its schedule was changed."""
    if before.next_run_at is None or not before.schedule.is_recurring:
        return
    if missed := before.schedule.missed(_occurrence(before, before.next_run_at) - _INSTANT, now):
        making.skip([(before.pk, Skip(SkipReason.MISSED, missed.first, missed.last, missed.count))], now=now)


def _set(runnable: Runnable, **columns: object) -> None:
    for name, value in columns.items():
        setattr(runnable, name, value)


def _over(resumed: Sequence[Runnable]) -> list[tuple[int, Trouble]]:
    """Which troubles end with a pause; what the breaker counted, begins anew."""
    everything = [Trouble.PAUSED, Trouble.FAILED, Trouble.WARNED]
    return [(one.pk, trouble) for one in resumed for trouble in (everything if one.breaker else [Trouble.PAUSED])]


def _account(runnables: Sequence[Runnable], now: datetime) -> None:
    if skips := _came(runnables, now):
        making.skip(skips, now=now)


def _came(runnables: Sequence[Runnable], now: datetime) -> list[tuple[int, Skip]]:
    """What of each came while it was off. What was to run once is run when it is on again, and not here."""
    found = []
    for runnable in runnables:
        is_over = runnable.max_runs is not None and runnable.scheduled_runs >= runnable.max_runs
        if runnable.unaccounted_since is None or is_over or not runnable.schedule.is_recurring:
            continue
        try:
            missed = runnable.schedule.missed(runnable.unaccounted_since, now)
        except ScheduleError:
            continue
        except Exception:  # one bad row must not stop everybody's
            logger.exception("what a schedule missed cannot be computed: %s", runnable.pk)
            continue
        if missed:
            found.append((runnable.pk, Skip(SkipReason.PAUSED, missed.first, missed.last, missed.count)))
    return found


def replanned(runnable: Runnable, *, before: Runnable, now: datetime) -> datetime | None:
    """When a runnable whose rhythm stays is due next, with another end or spread, or switched on or off.

    The occurrence that had come, and waits for its place in the spread, is still to come unless it is past the end.
    """
    waiting = _waiting(before, now)
    if waiting and not (runnable.end_at and runnable.end_at < waiting):
        return due_for(runnable, waiting, waiting)
    return due_for(runnable, _resumed(runnable, now, _over_once([runnable])), now)


def _waiting(runnable: Runnable, now: datetime) -> datetime | None:
    """The occurrence that has come, and is not due before its place in the spread; None: there is none."""
    if runnable.next_run_at is None or runnable.next_run_at <= now:
        return None
    occurrence = _occurrence(runnable, runnable.next_run_at)
    return occurrence if occurrence <= now else None


def _keeps(runnable: Runnable, before: Runnable, now: datetime) -> bool:
    """Whether the occurrence that waits in the spread is what the changed one runs next."""
    due = runnable.next_run_at
    return due is not None and _occurrence(runnable, due) == _waiting(before, now)


def _occurrence(runnable: Runnable, due: datetime) -> datetime:
    return due - timedelta(milliseconds=runnable.offset_ms)


def _resumed(runnable: Runnable, now: datetime, over: Collection[int]) -> datetime | None:
    """The next occurrence of what was switched off and on again: a series keeps its rhythm, and once means once."""
    if runnable.schedule.is_recurring:
        return runnable.schedule.next_after(now)
    return None if runnable.pk in over else runnable.schedule.first(now)


def _next(runnable: Runnable, now: datetime, over: Collection[int], faults: dict[int, str]) -> datetime | None:
    """Its next run. `faults` gets the reason why that cannot be computed, if so."""
    try:
        moment = _resumed(runnable, now, over)
    except ScheduleError as error:  # a zone that a new tzdata dropped: it is planned no more
        faults[runnable.pk] = str(error)
        return None
    except Exception:  # one bad row must not stop everybody's
        logger.exception("a schedule cannot be computed, and is planned no more: %s", runnable.pk)
        faults[runnable.pk] = ""
        return None
    return due_for(runnable, moment, now)


def _over_once(runnables: Sequence[Runnable]) -> set[int]:
    """Those that were to run once, and did. One whose run was aborted is still to come, whoever ran it by hand.

    Retention may have deleted that run: the schedule has counted it.
    """
    once = {one.pk: one for one in runnables if one.run_at and not one.schedule.is_recurring}
    if not once:
        return set()
    runs = Run.objects.filter(runnable_id__in=once, occurrence__gte=F("runnable__run_at"))
    rows = list(runs.values_list("runnable_id", "state").distinct())
    made = {runnable_id for runnable_id, state in rows if state != State.ABORTED}
    aborted = {runnable_id for runnable_id, _ in rows} - made
    return made | {pk for pk, one in once.items() if one.scheduled_runs and pk not in aborted}


# What others hold is met again with the next tick.
_COME = """
SELECT id, breaker FROM runs_runnable WHERE paused_until <= %s
ORDER BY paused_until LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
"""

_HALF_OPEN = "UPDATE runs_runnable SET breaker = 'half_open', paused_until = %s WHERE id = ANY(%s)"


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
    """One run for each of which none is under way. One that gets lost is made again after a while."""
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
