"""The next runs of a schedule before it is saved, or of one that is stored, as pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from badgerjobs.lib import words, zones
from badgerjobs.lib.schedule import Schedule
from badgerjobs.lib.upcoming import Upcoming, upcoming
from badgerjobs.runs.forms import ScheduleForm
from badgerjobs.runs.models import Runnable
from badgerjobs.runs.schedules import preview, second_zone, zone_of
from badgerjobs.runs.services import resumed, was_aborted

SHOWN = 5


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One planned run, on the wall of both zones, and the changes of clocks between the one before it and this one.

    `note` says what is odd about its time: that it comes twice that night, or does not exist.
    """

    moment: datetime
    first: str
    second: str
    shifts: Sequence[str]
    note: str = ""


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
    enabled = form.cleaned_data["enabled"]
    if form.runnable and form.keeps_rhythm:
        return _of_kept(form.runnable, now, enabled=enabled)
    return _shown(form.schedule, preview(form.schedule, now=now, count=SHOWN), enabled=enabled)


def preview_of(runnable: Runnable, now: datetime) -> Preview:
    """What is planned for a stored schedule; for one that is disabled, what would be."""
    return _from(runnable, runnable.next_run_at, now, enabled=runnable.enabled)


def _of_kept(runnable: Runnable, now: datetime, *, enabled: bool) -> Preview:
    """What is planned when its rhythm stays, and it is perhaps switched on or off: what saving it would do."""
    if enabled == runnable.enabled:
        return preview_of(runnable, now)
    first = resumed(runnable, now, was_aborted) if enabled else None
    return _from(runnable, max(first, now) if first else None, now, enabled=enabled)


def _from(runnable: Runnable, first: datetime | None, now: datetime, *, enabled: bool) -> Preview:
    times = [first] if first else []
    if runnable.schedule.is_recurring:
        times += runnable.schedule.upcoming(first or now, SHOWN - len(times))
    return _shown(runnable.schedule, times, enabled=enabled)


def _shown(schedule: Schedule, times: Sequence[datetime], *, enabled: bool) -> Preview:
    zone = zones.preset_zone(zone_of(schedule))
    second = second_zone(zone)
    said = schedule.words()
    return Preview(
        words=said[:1].upper() + said[1:],
        zone=zone_of(schedule),
        second=str(second or ""),
        rows=[_row(one, zone, second or zone) for one in upcoming(times, zone, second or zone)],
        enabled=enabled,
    )


def _row(planned: Upcoming, zone: tzinfo, second: tzinfo) -> PlannedRun:
    day, other_day = words.day(planned.moment, zone), words.day(planned.moment, second)
    beside = words.clock(planned.moment, second) + ("" if day == other_day else f" {other_day[:3]}")
    return PlannedRun(
        planned.moment, f"{day} {words.clock(planned.moment, zone)}", beside, planned.shifts, planned.note
    )
