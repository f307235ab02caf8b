"""Schedules as rows have them: empty texts for what is not given, and the installation's zone for presets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from badgerjobs.lib import words, zones
from badgerjobs.lib.schedule import Schedule
from badgerjobs.lib.spread import offset

if TYPE_CHECKING:
    from badgerjobs.runs.models import Runnable

# What a schedule is made of, and what besides decides when something runs next.
RHYTHM_FIELDS = ("run_at", "run_every", "cron", "preset", "time_zone")
BOUND_FIELDS = ("end_at", "max_runs", "spread_s")
SCHEDULE_FIELDS = (*RHYTHM_FIELDS, *BOUND_FIELDS, "enabled")
# How the engine handles it: a change of these leaves alone what is planned.
POLICY_FIELDS = ("overlap", "catch_up", "catch_up_within_s", "priority")
# Until when it is switched off, and why.
PAUSE_FIELDS = ("paused_until", "pause_reason")


def schedule_of(  # noqa: PLR0913, PLR0917  a row's columns, in their order
    run_at: datetime | None,
    run_every: str,
    cron: str,
    preset: str,
    time_zone: str,
    anchor: datetime | None,
    end_at: datetime | None = None,
) -> Schedule:
    """The planned times, as a value that can be asked for the next ones."""
    return Schedule(
        run_at=run_at,
        run_every=run_every or None,
        cron=cron or None,
        preset=preset or None,
        time_zone=time_zone,
        anchor=anchor,
        end_at=end_at,
        preset_time_zone=settings.PRESET_TIME_ZONE,
    )


def due_for(runnable: Runnable, occurrence: datetime | None, now: datetime) -> datetime | None:
    """When a runnable is due for this next occurrence of its: not before now, and at its own place in its spread.

    None when it is switched off, when nothing is planned, and when its schedule has made all its runs.
    """
    if occurrence is None or not runnable.enabled or is_through(runnable):
        return None
    return max(occurrence, now) + offset_of(runnable)


def occurrence_of(runnable: Runnable) -> datetime | None:
    """Which planned moment its next run stands for; None: nothing is planned."""
    if runnable.next_run_at is None:
        return None
    return runnable.next_occurrence or runnable.next_run_at - offset_of(runnable)


def offset_of(runnable: Runnable) -> timedelta:
    """So long after each occurrence it is due, as its plan has it."""
    return timedelta(milliseconds=runnable.offset_ms)


def is_through(runnable: Runnable) -> bool:
    """Whether its schedule has made all its runs."""
    return runs_left(runnable) == 0


# A job keeps its place when its kind changes: both kinds share their tags.
_PLACES = {"event": "http"}


def offset_ms(runnable: Runnable) -> int:
    """Its place in its spread, in milliseconds: always the same, whoever asks and whenever."""
    kind = _PLACES.get(runnable.kind, runnable.kind)
    return place_in_spread(runnable.application_id, kind, runnable.name, runnable.spread_s)


def place_in_spread(application_id: int, kind: str, name: str, spread_s: int) -> int:
    """The same of what need not be there yet."""
    return offset(f"{application_id} {kind} {name}", timedelta(seconds=spread_s)) // timedelta(milliseconds=1)


def runs_left(runnable: Runnable) -> int | None:
    """How many runs its schedule may still make; None: any number."""
    return None if runnable.max_runs is None else max(0, runnable.max_runs - runnable.scheduled_runs)


def preview(
    schedule: Schedule, *, now: datetime, count: int, after: datetime | None = None, max_runs: int | None = None
) -> list[datetime]:
    """List what a schedule that is set now will do: its next times, from now on, or from any other moment on.

    It ends after `max_runs` of them, as if none was skipped.
    """
    if after:
        left = max_runs if max_runs is None else max(0, max_runs - _planned_until(schedule, now, after))
        return schedule.upcoming(after, count if left is None else min(count, left))
    times = schedule.planned(now, count if max_runs is None else min(count, max_runs))
    times[:1] = [max(first, now) for first in times[:1]]  # what is past is due at once
    return times


def _planned_until(schedule: Schedule, now: datetime, until: datetime) -> int:
    """How many occurrences a schedule that is set now has up to then."""
    first = schedule.first(now)
    if first is None or first > until:
        return 0
    later = schedule.anchored(now).missed(first, until)
    return 1 + (later.count if later else 0)


def zone_of(schedule: Schedule) -> str:
    """The zone in which it is computed."""
    return schedule.preset_time_zone if schedule.preset else schedule.time_zone


def place_of(runnable: Runnable | None) -> tzinfo:
    """Where its times are told: the zone it is computed in, and UTC where that is none any more or nothing is."""
    try:
        return zones.preset_zone(zone_of(runnable.schedule)) if runnable else UTC
    except zones.UnknownZoneError:
        return UTC


def second_zone(first: tzinfo) -> tzinfo | None:
    """In which other zone times are told beside this one: the reader's, else UTC, else none."""
    others: tuple[tzinfo, ...] = (timezone.get_current_timezone(), UTC)
    return next((other for other in others if words.place(other) != words.place(first)), None)
