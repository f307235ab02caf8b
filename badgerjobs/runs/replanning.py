"""What something runs next when it is made, changed or switched on: what was to come still comes, and nothing twice."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F

from badgerjobs.lib.schedule import ScheduleError
from badgerjobs.runs.models import Run, Runnable, State
from badgerjobs.runs.schedules import due_for, occurrence_of, offset_of

logger = logging.getLogger(__name__)
_INSTANT = timedelta(microseconds=1)


def clock_of(runnable: Runnable, now: datetime) -> datetime:
    """The clock; where this was planned later than that, the moment after.

    Who had to wait for its row may have read the clock before a tick took what was due: that is not to come again.
    """
    planned_at = runnable.planned_at
    return planned_at + _INSTANT if planned_at and planned_at > now else now


def accounted_until(runnable: Runnable, now: datetime) -> datetime:
    """The same for what is paused: up to here its ledger is complete, or is completed as it is switched on."""
    return max(clock_of(runnable, now), runnable.unaccounted_since or now)


def plan_first(runnable: Runnable, now: datetime) -> None:
    """Set the next run of one whose rhythm is new."""
    _set(runnable, runnable.schedule.first(now), now)


def plan_on(runnable: Runnable, *, before: Runnable, now: datetime) -> None:
    """Set the next run of one whose rhythm is new and whose start stays: a start that was run is not run again."""
    if runnable.run_at is None or runnable.run_at != before.run_at or runnable.run_at > now:
        return plan_first(runnable, now)
    made = _states({runnable.pk: runnable}).get(runnable.pk, set())
    if not (made - {State.ABORTED} or (before.scheduled_runs and not made)):
        return plan_first(runnable, now)
    schedule = runnable.schedule
    return _set(runnable, schedule.next_after(now) if schedule.is_recurring else None, now)


def replan(runnable: Runnable, *, before: Runnable, now: datetime) -> None:
    """Set the next run of one whose rhythm stays, with another end or spread, or switched on or off.

    What it was to run next it runs next, however late that is, unless that is past the end.
    """
    if runnable.enabled and before.enabled and before.next_run_at:
        due, occurrence = before.next_run_at - offset_of(before), occurrence_of(before)
        is_over = runnable.end_at and occurrence and runnable.end_at < occurrence
        runnable.next_run_at = None if is_over else due_for(runnable, due, due)
        if runnable.next_run_at is None:
            runnable.next_occurrence = None
    else:
        until = accounted_until(before, now)
        _set(runnable, _resumed(runnable, until, Past.of([runnable])), until)


def _set(runnable: Runnable, occurrence: datetime | None, now: datetime) -> None:
    """What is past already is due at once, and stands for its own moment, unless that has a run."""
    runnable.next_run_at = due_for(runnable, occurrence, now)
    is_past = runnable.next_run_at is not None and occurrence is not None and occurrence < now
    is_taken = is_past and _has_run(runnable, occurrence)
    runnable.next_occurrence = occurrence if is_past and not is_taken else None


def _has_run(runnable: Runnable, occurrence: datetime | None) -> bool:
    runs = Run.objects.of(runnable.pk) if runnable.pk else Run.objects.none()
    return runs.filter(occurrence=occurrence).exclude(state=State.SKIPPED).exists()


@dataclass(frozen=True, slots=True)
class Next:
    """When something is due next, and which moment that stands for, as columns have it; `fault`: why nothing is."""

    due: datetime | None = None
    occurrence: datetime | None = None
    fault: str | None = None


def resumed(runnables: Sequence[Runnable], now: datetime) -> list[Next]:
    """What comes next of each of these, which are switched on: as their columns are to have it."""
    past = Past.of(runnables)
    return [_next(runnable, accounted_until(runnable, now), past) for runnable in runnables]


def _next(runnable: Runnable, now: datetime, past: "Past") -> Next:
    try:
        moment = _resumed(runnable, now, past)
    except ScheduleError as error:  # a zone that a new tzdata dropped: it is planned no more
        return Next(fault=str(error))
    except Exception:  # one bad row must not stop everybody's
        logger.exception("a schedule cannot be computed, and is planned no more: %s", runnable.pk)
        return Next(fault="")
    due = due_for(runnable, moment, now)
    is_past = due is not None and moment is not None and moment < now
    return Next(due, moment if is_past and runnable.pk not in past.tried else None)


def _resumed(runnable: Runnable, now: datetime, past: "Past") -> datetime | None:
    """The next occurrence of what was switched off and on again: a series keeps its rhythm, and once means once."""
    if runnable.schedule.is_recurring:
        return runnable.schedule.next_after(now)
    return None if runnable.pk in past.over else runnable.schedule.first(now)


@dataclass(frozen=True, slots=True)
class Past:
    """Of those that were to run once: which did, `over`, and which have any run, be it one that was aborted.

    One whose run was aborted is still to come, whoever ran it by hand. Retention may have deleted that run: the
    schedule has counted it.
    """

    over: frozenset[int]
    tried: frozenset[int]

    @classmethod
    def of(cls, runnables: Sequence[Runnable]) -> "Past":
        """Look it up, in one statement for all of them; in none where nothing is to run once."""
        once = {one.pk: one for one in runnables if one.pk and one.run_at and not one.schedule.is_recurring}
        made = _states(once)
        run = {pk for pk, states in made.items() if states - {State.ABORTED}}
        counted = {pk for pk, one in once.items() if one.scheduled_runs and pk not in made}
        return cls(frozenset(run | counted), frozenset(made))


def _states(once: Mapping[int, Runnable]) -> dict[int, set[str]]:
    if not once:
        return {}
    runs = Run.objects.filter(runnable_id__in=once, occurrence__gte=F("runnable__run_at"))
    found: dict[int, set[str]] = {}
    for runnable_id, state in runs.values_list("runnable_id", "state").distinct():
        found.setdefault(runnable_id, set()).add(state)
    return found
