"""What is wrong with a schedule's fields, and what would be right: one sentence for each."""

import difflib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from badgerjobs.lib import cron, durations, presets, zones

HORIZON = timedelta(days=3653)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
REPEATS = ("cron", "run_every", "preset")


class ScheduleError(ValueError):
    """Fields that make no schedule. `errors` maps each field's name to a sentence that says what would be right."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(f"{field}: {sentence}" for field, sentence in errors.items()))
        self.errors = errors


class ScheduleFields(TypedDict, total=False):
    """What a schedule is made of; see `Schedule`."""

    run_at: datetime | None
    run_every: str | None
    cron: str | None
    time_zone: str
    preset: str | None
    anchor: datetime | None
    preset_time_zone: str
    end_at: datetime | None


def tidied(fields: ScheduleFields) -> ScheduleFields:
    """Give the same with blank texts taken for not given, and without blanks around the others."""
    tidy = fields.copy()
    tidy["run_every"] = _tidy(fields.get("run_every"))
    tidy["cron"] = _tidy(fields.get("cron"))
    tidy["preset"] = _tidy(fields.get("preset"))
    tidy["time_zone"] = _tidy(fields.get("time_zone")) or "UTC"
    return tidy


def check(fields: ScheduleFields, now: datetime) -> dict[str, str]:
    """Each wrong field with its sentence; empty when all is well.

    An end must not be before the start, and the start of what was set earlier, and so has an anchor, is then: a
    schedule that has ended stays a right one.
    """
    errors = {
        "run_at": _moment(fields.get("run_at"), now),
        "end_at": _end(fields, now),
        "run_every": _refusal(durations.parse, fields.get("run_every")),
        "cron": _refusal(cron.parse, fields.get("cron")),
        "preset": _preset(fields.get("preset"), fields.get("preset_time_zone")),
        "time_zone": _refusal(zones.zone, fields.get("time_zone")),
    }
    return {field: sentence for field, sentence in errors.items() if sentence} | _contradiction(fields)


def _contradiction(fields: ScheduleFields) -> dict[str, str]:
    given = [name for name in REPEATS if fields.get(name)]
    if len(given) < 2:
        return {}
    sentence = f"Give either {' or '.join(given)}, not {'both' if len(given) == 2 else 'all'}."
    return dict.fromkeys(given, sentence)


def _moment(run_at: datetime | None, now: datetime) -> str | None:
    if run_at is None:
        return None
    if run_at.utcoffset() is None:
        return "Say where that time is: end it with Z for UTC or with an offset, like 2026-11-21T22:50:28+01:00."
    if run_at < EARLIEST:
        return "That is before 1970. A time that is past runs at once: give the present time for that."
    return out_of_reach(run_at, now)


def out_of_reach(moment: datetime, now: datetime) -> str | None:
    """Why nothing is computed so far from now, as a sentence; None: it is. `moment` is aware."""
    if moment > now + HORIZON:
        return "That is more than ten years ahead: give a time within the next ten years."
    return "That is before 1970: give a later time." if moment < EARLIEST else None


def _end(fields: ScheduleFields, now: datetime) -> str | None:
    end_at, run_at = fields.get("end_at"), fields.get("run_at")
    if end_at is None:
        return None
    if not any(fields.get(name) for name in REPEATS):
        return "Only what repeats has an end: leave end_at out, or give run_every, cron or preset."
    start = fields.get("anchor") or now
    if run_at and not _moment(run_at, now):
        start = max(start, run_at)
    if end_at.utcoffset() is not None and end_at < start:
        return f"The end is before the start: give a time after {_said(start, fields.get('time_zone'))}."
    return _moment(end_at, now)


def _said(moment: datetime, zone_name: str | None) -> str:
    """With the offset of the schedule's own zone, in which people type it; in UTC where that is none."""
    try:
        place = zones.zone(zone_name or "UTC")
    except zones.UnknownZoneError:
        place = UTC
    return moment.astimezone(place).isoformat(timespec="seconds").replace("+00:00", "Z")


def _preset(name: str | None, zone_name: str | None) -> str | None:
    if name is None or name in presets.PRESETS:
        return _refusal(zones.preset_zone, zone_name) if name else None
    near = difflib.get_close_matches(name[:80].lower(), presets.PRESETS, n=1)
    known = ", ".join(presets.PRESETS)
    return f"{name[:40]!r} is not a preset: " + (f"did you mean {near[0]}?" if near else f"give one of {known}.")


def _refusal(parse: Callable[[str], object], text: str | None) -> str | None:
    if text is None:
        return None
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return None


def _tidy(text: str | None) -> str | None:
    return " ".join((text or "").split()) or None
