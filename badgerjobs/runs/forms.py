"""When something runs, as a form: what a person chooses, told to the serializer that holds every rule."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from rest_framework import serializers

from badgerjobs.lib import presets, zones
from badgerjobs.lib.amounts import MILLISECONDS, UNITS, BadAmountError, iso
from badgerjobs.lib.retry_fields import IN_VAIN
from badgerjobs.lib.schedule import Schedule
from badgerjobs.runs.bounds_form import BoundsForm, bounds_shown
from badgerjobs.runs.models import Preset, Runnable
from badgerjobs.runs.policy_form import length_told
from badgerjobs.runs.schedules import BOUND_FIELDS, RHYTHM_FIELDS
from badgerjobs.runs.serializers import DEFAULTS, ScheduleSerializer
from badgerjobs.runs.wall_time import BAD_TIME, LocalTime, moment_of, wall_of
from badgerjobs.web.serializer_forms import LENIENT, first_sentence

WHEN = [("hand", "By hand"), ("at", "At a time"), ("every", "Every"), ("cron", "Cron"), ("preset", "Preset")]
ISO = "iso"
# What is missing, where the choice above asks for it.
MISSING = {
    "at": "Say when: a day and a time.",
    "every": "Say how often: a number, like 15.",
    "duration": "Say how often: PT15M is every 15 minutes.",
    "cron": "Give five fields, like 0 8 * * 1-5 for working days at eight.",
    "preset": "Choose one of them.",
    "end_at": "Say when it ends: a day and a time.",
    "max_runs": "Say after how many runs it ends: a number, like 100.",
}
BOUND_NAMES = ("end_at", "max_runs", "spread")
# What the sentences of REST call by its name there.
IN_FORM = {
    "use run_every, like PT30S": "choose “Every” above, like 30 seconds",
    IN_VAIN: "It is not tried again at all: tick “Tries again”, or leave this as it was.",
}


class ScheduleForm(BoundsForm):
    """When something runs. `runnable` is what is being changed, if it is there already.

    The fields take anything: `clean` tells them to the serializer and brings its sentences back beside them.
    """

    when = forms.ChoiceField(choices=WHEN, widget=forms.RadioSelect, **LENIENT)
    at = forms.CharField(widget=LocalTime, **LENIENT)
    every = forms.CharField(widget=forms.TextInput({"inputmode": "decimal", "size": "4"}), **LENIENT)
    unit = forms.ChoiceField(
        choices=[*((name, name) for name in (MILLISECONDS, *UNITS)), (ISO, "as ISO 8601…")],
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
        self.judge_rest(ScheduleSerializer, told, without=BOUND_NAMES)
        return self.cleaned_data

    def serializer(self, told: dict[str, Any]) -> ScheduleSerializer:
        """Give the serializer that judges what was told."""
        return ScheduleSerializer(data=told)

    def judge_rest(
        self, kind: type[serializers.Serializer[Any]], told: dict[str, Any], without: Collection[str]
    ) -> None:
        """Where something is wrong, look at the others as a whole: a person wants to know of all at once.

        `without` are the names that may be left out when they are what is wrong.
        """
        known: set[str] = set()
        while set(self.errors) - known:
            known = set(self.errors)
            left = {name: value for name, value in told.items() if name not in known or name not in without}
            self._judge(kind(data=left))

    def _judge(self, serializer: serializers.Serializer[Any]) -> None:
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

    @property
    def bounds(self) -> dict[str, Any]:
        """Those that were told: where it ends, and over how long it is spread. For a form that is valid."""
        told = self.told.validated_data
        return {name: told[name] for name in BOUND_FIELDS if name in told}

    def refuse(self, field: str, said: Any) -> None:
        """Put a sentence beside a field, unless there is one already."""
        if field not in self.errors:
            sentence = first_sentence(said)
            for words, here in IN_FORM.items():
                sentence = sentence.replace(words, here)
            self.add_error(field if field in self.fields else None, sentence)

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
        told.update(self._bounds_told(zone, is_recurring=when not in {"hand", "at"}))
        if when == "hand":  # neither is to be seen then, but its runs are told in the zone
            return {**told, "run_at": None, "time_zone": zone if _is_zone(zone) else self._zone_before()}
        return {**told, "run_at": self._moment("at" if when == "at" else "start", zone), "time_zone": zone}

    def _bounds_told(self, zone: str, *, is_recurring: bool) -> dict[str, Any]:
        """Where it ends, which only what repeats does, and its spread; nothing of what was not on the page."""
        ends = self.cleaned_data.get("ends", "") if is_recurring else ""
        told: dict[str, Any] = {"spread": length_told(self, "spread")} if "spread" in self.data else {}
        if "ends" in self.data:
            told["end_at"] = self._moment("end_at", zone) if ends in {"time", "both"} else None
            told["max_runs"] = self._demanded("max_runs") or None if ends in {"runs", "both"} else None
        return told

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
            return iso(number, unit) if number and unit in {MILLISECONDS, *UNITS} else ""
        except BadAmountError as error:
            self.refuse("every", str(error))
            return ""

    def _zone_before(self) -> str:
        return self.runnable.time_zone if self.runnable else "UTC"

    def _moment(self, field: str, zone: str) -> str | None:
        """The time on the wall of the zone, as a moment. What was not touched stays as it is stored, to the µs."""
        text = self.cleaned_data.get(field, "").strip() if field == "start" else self._demanded(field)
        if not text:
            return None
        before = self.runnable if self.runnable and self.runnable.time_zone == zone else None
        stored = (before.end_at if field == "end_at" else before.run_at) if before else None
        try:
            return moment_of(text, zone, stored)
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
        **bounds_shown(runnable),
        "enabled": runnable.enabled,
    }


def blank(enabled: bool = True) -> dict[str, Any]:
    """What a new schedule begins with."""
    zone = timezone.get_current_timezone_name()
    every = {"when": "every", "every": "15", "unit": "minutes", "time_zone": zone, "enabled": enabled}
    return {**every, **bounds_shown(DEFAULTS)}


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
