"""Schedules as rows have them: empty texts for what is not given, and the installation's zone for presets."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from badgerjobs.lib import words, zones
from badgerjobs.lib.schedule import Schedule

if TYPE_CHECKING:
    from badgerjobs.runs.models import Runnable

# What a schedule is made of, and what besides decides when something runs next.
RHYTHM_FIELDS = ("run_at", "run_every", "cron", "preset", "time_zone")
SCHEDULE_FIELDS = (*RHYTHM_FIELDS, "enabled")


def schedule_of(  # noqa: PLR0913, PLR0917  a row's columns, in their order
    run_at: datetime | None, run_every: str, cron: str, preset: str, time_zone: str, anchor: datetime | None
) -> Schedule:
    """The planned times, as a value that can be asked for the next ones."""
    return Schedule(
        run_at=run_at,
        run_every=run_every or None,
        cron=cron or None,
        preset=preset or None,
        time_zone=time_zone,
        anchor=anchor,
        preset_time_zone=settings.PRESET_TIME_ZONE,
    )


def preview(schedule: Schedule, *, now: datetime, count: int, after: datetime | None = None) -> list[datetime]:
    """List what a schedule that is set now will do: its next times, from now on, or from any other moment on."""
    if after:
        return schedule.upcoming(after, count)
    times = schedule.planned(now, count)
    times[:1] = [max(first, now) for first in times[:1]]  # what is past is due at once
    return times


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
