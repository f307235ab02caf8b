"""The next runs of a schedule before it is saved, or of one that is stored, as pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from django.utils import timezone

from badgerjobs.lib import words, zones
from badgerjobs.lib.schedule import Schedule
from badgerjobs.lib.upcoming import Upcoming, upcoming
from badgerjobs.runs.forms import ScheduleForm
from badgerjobs.runs.models import Runnable
from badgerjobs.runs.schedules import preview, zone_of

SHOWN = 5


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One planned run, on the wall of both zones, and the changes of clocks between the one before it and this one."""

    moment: datetime
    first: str
    second: str
    shifts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a schedule means, in its zone and in a second one: the reader's, or UTC where these are the same."""

    words: str
    zone: str = "UTC"
    second: str = ""
    rows: Sequence[PlannedRun] = ()
    errors: Sequence[str] = ()
    enabled: bool = True


def preview_of_form(form: ScheduleForm, now: datetime) -> Preview:
    """What would be planned if the form were saved now, or what is wrong with it, in words."""
    form.is_valid()
    wrong = [str(sentence) for name in ScheduleForm.base_fields for sentence in form.errors.get(name, [])]
    if wrong:
        return Preview("Not planned", errors=wrong)
    times = preview(form.schedule, now=now, count=SHOWN)
    return _shown(form.schedule, times, enabled=form.cleaned_data["enabled"])


def preview_of(runnable: Runnable, now: datetime) -> Preview:
    """What is planned for a stored schedule; for one that is disabled, what would be."""
    first = runnable.next_run_at
    times = [first] if first else []
    if runnable.schedule.is_recurring:
        times += runnable.schedule.upcoming(first or now, SHOWN - len(times))
    return _shown(runnable.schedule, times, enabled=runnable.enabled)


def _shown(schedule: Schedule, times: Sequence[datetime], *, enabled: bool) -> Preview:
    zone, reader = zones.preset_zone(zone_of(schedule)), timezone.get_current_timezone()
    second: tzinfo = reader if words.place(reader) != words.place(zone) else UTC
    same = words.place(second) == words.place(zone)
    said = schedule.words()
    return Preview(
        words=said[:1].upper() + said[1:],
        zone=zone_of(schedule),
        second="" if same else str(second),
        rows=[_row(planned, zone, second) for planned in upcoming(times, zone, second)],
        enabled=enabled,
    )


def _row(planned: Upcoming, zone: tzinfo, second: tzinfo) -> PlannedRun:
    day, other_day = words.day(planned.moment, zone), words.day(planned.moment, second)
    beside = words.clock(planned.moment, second) + ("" if day == other_day else f" {other_day[:3]}")
    return PlannedRun(planned.moment, f"{day} {words.clock(planned.moment, zone)}", beside, planned.shifts)
