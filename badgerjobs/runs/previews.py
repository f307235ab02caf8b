"""The next runs of a schedule before it is saved, or of one that is stored, as pages show them."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from badgerjobs.lib import words, zones
from badgerjobs.lib.schedule import Schedule
from badgerjobs.lib.upcoming import Upcoming, upcoming
from badgerjobs.runs.forms import ScheduleForm
from badgerjobs.runs.models import Runnable
from badgerjobs.runs.policy_words import spread_in_words
from badgerjobs.runs.replanning import replan
from badgerjobs.runs.schedules import SCHEDULE_FIELDS, offset_ms, preview, runs_left, second_zone, zone_of
from badgerjobs.workspaces.models import Application

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
    """What a schedule means, in its zone and in a second one: the reader's, or UTC where these are the same.

    `ends`: it repeats, and nothing comes after the last row. `spread` says how much later than planned each starts.
    """

    words: str
    zone: str = "UTC"
    second: str = ""
    rows: Sequence[PlannedRun] = ()
    errors: Sequence[str] = ()
    enabled: bool = True
    ends: bool = False
    spread: str = ""


def preview_of_form(form: ScheduleForm, now: datetime, new: Runnable) -> Preview:
    """What would be planned if the form were saved now, or what is wrong with it, in words.

    `new` stands for what is not there yet: its application, kind and name, which make its place in a spread.
    """
    form.is_valid()
    wrong = [str(sentence) for name in ScheduleForm.base_fields for sentence in form.errors.get(name, [])]
    if wrong:
        return Preview("Not planned", errors=wrong)
    enabled = form.cleaned_data["enabled"]
    if form.runnable and form.keeps_rhythm:
        return _of_kept(form.runnable, form, now)
    new = copy(form.runnable or new)
    new.spread_s = form.bounds.get("spread_s") or 0
    new.offset_ms = offset_ms(new) if new.name else 0
    times = preview(form.schedule, now=now, count=SHOWN + 1, max_runs=form.bounds.get("max_runs"))
    return _shown(form.schedule, [one + _offset(new) for one in times], new, enabled=enabled)


def preview_of_typed(
    data: Mapping[str, Any], now: datetime, *, application: Application, kind: str, runnable: Runnable | None
) -> Preview:
    """The same of what is being typed under a name and a tag; `runnable` is the one that it changes."""
    names = (str(data.get(field) or "").strip() for field in ("tag", "name"))
    new = Runnable(application=application, kind=kind, name=next(filter(None, names), ""))
    return preview_of_form(ScheduleForm(data, runnable=runnable), now, new)


def preview_of(runnable: Runnable, now: datetime) -> Preview:
    """What is planned for a stored schedule; for one that is disabled, what would be."""
    return _from(runnable, runnable.next_run_at, now)


def _of_kept(runnable: Runnable, form: ScheduleForm, now: datetime) -> Preview:
    """What is planned when its rhythm stays, and its end or spread changes, or it is switched: what saving would do."""
    changed = copy(runnable)
    for name, value in {**form.bounds, "enabled": form.cleaned_data["enabled"]}.items():
        setattr(changed, name, value)
    if all(getattr(changed, name) == getattr(runnable, name) for name in SCHEDULE_FIELDS):
        return preview_of(runnable, now)
    changed.offset_ms = offset_ms(changed)
    replan(changed, before=runnable, now=now)
    return _from(changed, changed.next_run_at, now)


def _from(runnable: Runnable, first: datetime | None, now: datetime) -> Preview:
    """From its next run on, and where none is planned from now on; as many as it may still make."""
    schedule, offset, left = runnable.schedule, _offset(runnable), runs_left(runnable)
    times = [first] if first else []
    if schedule.is_recurring:
        since = first - offset if first else now
        times += [one + offset for one in schedule.upcoming(since, SHOWN + 1 - len(times))]
    return _shown(schedule, times if left is None else times[:left], runnable, enabled=runnable.enabled)


def _offset(runnable: Runnable) -> timedelta:
    return timedelta(milliseconds=runnable.offset_ms)


def _shown(schedule: Schedule, times: Sequence[datetime], runnable: Runnable, *, enabled: bool) -> Preview:
    """Of these times, of which one more than is shown says that it goes on."""
    zone = zones.preset_zone(zone_of(schedule))
    second = second_zone(zone)
    said = schedule.words()
    return Preview(
        words=said[:1].upper() + said[1:],
        zone=zone_of(schedule),
        second=str(second or ""),
        rows=[_row(one, zone, second or zone) for one in upcoming(times[:SHOWN], zone, second or zone)],
        enabled=enabled,
        ends=schedule.is_recurring and len(times) <= SHOWN,
        spread=spread_in_words(runnable),
    )


def _row(planned: Upcoming, zone: tzinfo, second: tzinfo) -> PlannedRun:
    day, other_day = words.day(planned.moment, zone), words.day(planned.moment, second)
    beside = words.clock(planned.moment, second) + ("" if day == other_day else f" {other_day[:3]}")
    return PlannedRun(
        planned.moment, f"{day} {words.clock(planned.moment, zone)}", beside, planned.shifts, planned.note
    )
