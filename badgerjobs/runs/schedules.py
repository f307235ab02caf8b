"""Schedules as rows have them: empty texts for what is not given, and the installation's zone for presets."""

from datetime import datetime

from django.conf import settings

from badgerjobs.lib.schedule import Schedule

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
