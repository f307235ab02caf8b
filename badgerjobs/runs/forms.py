"""When something runs, as a form: what a person chooses, told to the serializer that holds every rule."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone

from badgerjobs.lib import presets, zones
from badgerjobs.lib.amounts import UNITS, BadAmountError, iso
from badgerjobs.lib.schedule import Schedule
from badgerjobs.runs.models import Preset, Runnable
from badgerjobs.runs.schedules import RHYTHM_FIELDS
from badgerjobs.runs.serializers import ScheduleSerializer

WHEN = [("hand", "By hand"), ("at", "At a time"), ("every", "Every"), ("cron", "Cron"), ("preset", "Preset")]
ISO = "iso"
# What is missing, where the choice above asks for it.
MISSING = {
    "at": "Say when: a day and a time.",
    "every": "Say how often: a number, like 15.",
    "duration": "Say how often: PT15M is every 15 minutes.",
    "cron": "Give five fields, like 0 8 * * 1-5 for working days at eight.",
    "preset": "Choose one of them.",
}
BAD_TIME = "This is no day and time: write them like 2026-11-21 22:50."
# Django's short names of what is asked of a text, for fields whose rules are all the serializer's.
LENIENT: dict[str, Any] = {"required": False}


class LocalTime(forms.TextInput):
    """The browser's own field for a day and a time on the wall."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__({"step": "1", "class": "short"})


class ScheduleForm(forms.Form):
    """When something runs. `runnable` is what is being changed, if it is there already.

    The fields take anything: `clean` tells them to the serializer and brings its sentences back beside them.
    """

    when = forms.ChoiceField(choices=WHEN, widget=forms.RadioSelect, **LENIENT)
    at = forms.CharField(widget=LocalTime, **LENIENT)
    every = forms.CharField(widget=forms.TextInput({"inputmode": "decimal", "size": "4"}), **LENIENT)
    unit = forms.ChoiceField(
        choices=[*((name, name) for name in UNITS), (ISO, "as ISO 8601…")],
        widget=forms.Select({"aria-label": "Unit"}),
        **LENIENT,
    )
    duration = forms.CharField(
        label="Duration",
        widget=forms.TextInput({"class": "mono short", "placeholder": "PT1H30M"}),
        help_text="ISO 8601: PT30S, PT1H30M, P1D, P1M. Days and months keep the time on the wall.",
        **LENIENT,
    )
    cron = forms.CharField(
        widget=forms.TextInput({"class": "mono short", "placeholder": "0 8 * * 1-5"}),
        help_text="Minute, hour, day, month, weekday; also L, LW, MON#1.",
        **LENIENT,
    )
    preset = forms.ChoiceField(**LENIENT)
    start = forms.CharField(label="Starts", widget=LocalTime, help_text="Empty: it starts when it is saved.", **LENIENT)
    time_zone = forms.CharField(
        label="Time zone", widget=forms.TextInput({"class": "short", "list": "zones", "autocomplete": "off"}), **LENIENT
    )
    enabled = forms.BooleanField(**LENIENT)

    def __init__(self, data: Mapping[str, Any] | None = None, *, runnable: Runnable | None = None, **more: Any) -> None:
        super().__init__(data, **{"auto_id": "%s", **more})
        self.runnable = runnable
        said = {name: presets.words(name, settings.PRESET_TIME_ZONE) for name in Preset.values}
        choices = [(name, words[:1].upper() + words[1:]) for name, words in said.items()]
        self.fields["preset"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask the serializer, and put what it says beside the fields that were typed."""
        told = self._schedule_told()
        self.told = self.serializer(told)
        self._judge(self.told)
        if self.errors:  # it looks at the schedule when all else is right; a person wants to know of both
            self._judge(ScheduleSerializer(data=told))
        return self.cleaned_data

    def serializer(self, told: dict[str, Any]) -> ScheduleSerializer:
        """Give the serializer that judges what was told."""
        return ScheduleSerializer(data=told)

    def _judge(self, serializer: ScheduleSerializer) -> None:
        if not serializer.is_valid():
            for name, said in serializer.errors.items():
                self.refuse(self._field_of(name), said)

    @property
    def schedule(self) -> Schedule:
        """What was chosen. For a form that is valid."""
        return self.told.planned

    @property
    def keeps_rhythm(self) -> bool:
        """Whether what is being changed would run as it does. For a form that is valid."""
        told = self.told.validated_data
        return all(told.get(name) == getattr(self.runnable, name) for name in RHYTHM_FIELDS)

    def refuse(self, field: str, said: Any) -> None:
        """Put a sentence beside a field, unless there is one already."""
        while isinstance(said, Mapping | list):
            said = next(iter(said.values() if isinstance(said, Mapping) else said))
        if field not in self.errors:
            self.add_error(field if field in self.fields else None, str(said))

    def _schedule_told(self) -> dict[str, Any]:
        when = self.cleaned_data.get("when") or ""
        told: dict[str, Any] = dict.fromkeys(("run_every", "cron", "preset"), "")
        if when in {"cron", "preset"}:
            told[when] = self._demanded(when)
        elif when == "every":
            told["run_every"] = self._duration()
        elif when not in {"hand", "at"}:
            self.refuse("when", "Choose when it runs.")
        zone = self.cleaned_data.get("time_zone", "").strip() or "UTC"
        if when == "hand":  # neither is to be seen then, but its runs are told in the zone
            return {**told, "run_at": None, "time_zone": zone if _is_zone(zone) else self._zone_before()}
        return {**told, "run_at": self._run_at("at" if when == "at" else "start", zone), "time_zone": zone}

    def _demanded(self, field: str) -> str:
        text = str(self.cleaned_data.get(field, "")).strip()
        if not text:
            self.refuse(field, MISSING[field])
        return text

    def _duration(self) -> str:
        unit = self.cleaned_data.get("unit", "")
        if unit == ISO:
            return self._demanded("duration")
        number = self._demanded("every")
        try:
            return iso(number, unit) if number and unit in UNITS else ""
        except BadAmountError as error:
            self.refuse("every", str(error))
            return ""

    def _zone_before(self) -> str:
        return self.runnable.time_zone if self.runnable else "UTC"

    def _run_at(self, field: str, zone: str) -> str | None:
        """The time on the wall of the zone, as a moment. What was not touched stays as it is stored, to the µs."""
        text = self._demanded("at") if field == "at" else self.cleaned_data.get(field, "").strip()
        if not text:
            return None
        stored = self.runnable.run_at if self.runnable and self.runnable.time_zone == zone else None
        try:
            wall = datetime.fromisoformat(text)
            if stored and wall == datetime.fromisoformat(wall_of(stored, zone)):  # browsers leave seconds of 0 out
                return stored.isoformat()
            return (wall if wall.tzinfo else zones.shifted(wall, zones.zone(zone))).isoformat()
        except zones.UnknownZoneError:
            return None  # the sentence about the zone says it
        except (ValueError, OverflowError):
            self.refuse(field, BAD_TIME)
            return None

    def _field_of(self, name: str) -> str:
        """The field of the form in which that of the serializer was told."""
        if name == "run_at":
            return "at" if self.cleaned_data.get("when") == "at" else "start"
        if name == "run_every":
            return "duration" if self.cleaned_data.get("unit") == ISO else "every"
        return name


def chosen(runnable: Runnable) -> dict[str, Any]:
    """A stored schedule as the form shows it."""
    when = next((name for name in ("cron", "preset") if getattr(runnable, name)), "")
    when = when or ("every" if runnable.run_every else "at" if runnable.run_at else "hand")
    number, unit = spoken(runnable.run_every)
    wall = wall_of(runnable.run_at, runnable.time_zone) if runnable.run_at else ""
    return {
        "when": when,
        "at" if when == "at" else "start": wall,
        "every": number,
        "unit": unit,
        "duration": runnable.run_every,
        "cron": runnable.cron,
        "preset": runnable.preset,
        "time_zone": runnable.time_zone,
        "enabled": runnable.enabled,
    }


def blank(enabled: bool = True) -> dict[str, Any]:
    """What a new schedule begins with."""
    zone = timezone.get_current_timezone_name()
    return {"when": "every", "every": "15", "unit": "minutes", "time_zone": zone, "enabled": enabled}


def spoken(run_every: str) -> tuple[str, str]:
    """`PT15M` is 15 minutes. What is more than a number and a unit stays ISO 8601: nothing is written differently."""
    number = "".join(re.findall(r"[0-9.]+", run_every))
    unit = next((name for name, pattern in UNITS.items() if run_every == pattern.format(number)), ISO)
    return (number, unit) if run_every else ("15", "minutes")


def _is_zone(name: str) -> bool:
    try:
        zones.zone(name)
    except zones.UnknownZoneError:
        return False
    return True


def wall_of(moment: datetime, zone: str) -> str:
    """The day and time on the wall of a zone, as browsers write it: `2026-11-21T22:50:28`."""
    try:
        place = zones.zone(zone)
    except zones.UnknownZoneError:
        place = zones.zone("UTC")
    return zones.local(moment, place).isoformat(timespec="seconds")
