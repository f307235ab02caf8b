"""Schedules and policies, as REST shows and takes them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from badgerjobs.lib import durations
from badgerjobs.lib.schedule import Schedule, ScheduleError
from badgerjobs.lib.spread import spread_too_long
from badgerjobs.runs.length_fields import LengthField, MillisecondsField
from badgerjobs.runs.models import CatchUp, Overlap, Preset, Runnable
from badgerjobs.runs.schedules import POLICY_FIELDS, RHYTHM_FIELDS
from badgerjobs.web.serializers import MomentField, StrictSerializer

MOST_RUNS = 1_000_000_000
NOT_RECURRING = "Only what repeats can end after some runs: give run_every, cron or preset, or leave max_runs out."
ALL_BUT_SKIPPED = (
    "“all” runs every occurrence that was missed, and overlap “{}” would not: "
    "set overlap to queue_all or allow, or catch_up to latest."
)
NONE_WITHIN = "“none” catches up nothing, however recent: set catch_up to latest or all, or leave catch_up_within out."
BAD_PRIORITY = "Give a whole number from 0 to 100: lower goes first, 50 is usual."
# What a new one has, where nothing is given.
DEFAULTS = Runnable()


class BlankField(serializers.CharField):
    """A text that reads as null where there is none, and takes null for none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_null": True, "allow_blank": True, "required": False, **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Null is the empty text."""
        return super().run_validation("" if data is None else data)

    def to_representation(self, value: Any) -> Any:
        """The empty text is null."""
        return value or None


class ScheduleSerializer(StrictSerializer):
    """When something runs. At most one of `run_every`, `cron` and `preset`; with none and no `run_at`, by hand."""

    run_at = MomentField(
        required=False,
        allow_null=True,
        help_text="When it runs, or when a recurring schedule begins: ISO 8601 with a zone. A past time means at once.",
    )
    run_every = BlankField(
        max_length=100,
        help_text="ISO 8601 duration, at least one second: PT15M, PT1H, P1D, P1M. Counted from `run_at`, or from now.",
    )
    run_every_ms = MillisecondsField(
        source="run_every",
        required=False,
        allow_null=True,
        help_text="The same in milliseconds, instead of `run_every`; null where that is counted on a calendar.",
    )
    cron = BlankField(max_length=200, help_text="Five fields, as Debian's cron reads them, with L, W and #.")
    preset = BlankField(
        max_length=100,
        help_text=f"One of {', '.join(Preset.values)}: on the hour, at 08:00 EST, on Tuesday at 03:00 EST.",
    )
    time_zone = serializers.CharField(
        max_length=64,
        required=False,
        help_text="IANA name, like Europe/Zurich: where cron and calendar durations are computed. UTC by default.",
    )
    end_at = MomentField(
        required=False, allow_null=True, help_text="The last moment at which a recurring schedule may run. Null: never."
    )
    max_runs = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MOST_RUNS,
        error_messages={
            "invalid": "Give a whole number of runs, like 100.",
            "min_value": "Give 1 run at least; or none, and it does not end.",
            "max_value": f"Give {MOST_RUNS:,} runs at most; or none, and it does not end.",
        },
        help_text="How many occurrences become runs before the schedule ends; skipped ones do not count. Null: all.",
    )
    spread = LengthField(
        source="spread_s",
        nothing=0,
        help_text="ISO 8601, like PT5M: it starts up to so much later, each job always at its own place. Or null.",
    )

    def to_internal_value(self, data: Any) -> Any:
        """Of two ways to write an interval one is taken; null in the other says nothing."""
        if isinstance(data, Mapping) and "run_every_ms" in data:
            if data["run_every_ms"] is None:
                data = {name: value for name, value in data.items() if name != "run_every_ms"}
            elif data.get("run_every") and not self._says_the_same(data):
                raise serializers.ValidationError(
                    {"run_every_ms": ["Give either run_every or run_every_ms, not both."]}
                )
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Look at the whole schedule: what is given, over what was there before."""
        names = (*RHYTHM_FIELDS, "end_at")
        given = {name: attrs[name] if name in attrs else self._before(name) for name in names}
        now = timezone.now()
        if not any(name in attrs and attrs[name] != self._before(name) for name in RHYTHM_FIELDS):
            given["anchor"] = self._before("anchor")  # it goes on: "before the start" is seen from where it began
        try:
            self.planned = Schedule.parse(now=now, preset_time_zone=settings.PRESET_TIME_ZONE, **given)
        except ScheduleError as error:
            raise serializers.ValidationError({field: [said] for field, said in error.errors.items()}) from None
        self._judge_bounds(attrs, now)
        return attrs

    def _judge_bounds(self, attrs: dict[str, Any], now: datetime) -> None:
        value = {name: attrs.get(name, self._before(name)) for name in ("max_runs", "spread_s")}
        if value["max_runs"] and not self.planned.is_recurring:
            raise serializers.ValidationError({"max_runs": [NOT_RECURRING]})
        spread = timedelta(seconds=value["spread_s"] or 0)
        if spread and (said := spread_too_long(self.planned, spread, now)):
            raise serializers.ValidationError({"spread": [said]})

    def _says_the_same(self, data: Mapping[str, Any]) -> bool:
        """Whether somebody sends back what was read: both are there then."""
        try:
            return bool(durations.parse(str(data["run_every"])).milliseconds == data["run_every_ms"])
        except durations.BadDurationError:
            return False

    def _before(self, name: str) -> Any:
        runnable = getattr(self.instance, "runnable", None) if self.partial else None
        return getattr(runnable, name, None) if runnable else ("UTC" if name == "time_zone" else None)


class PolicySerializer(StrictSerializer):
    """How the engine handles it: what overlaps, what was missed, what goes first."""

    overlap = serializers.ChoiceField(
        Overlap.choices,
        required=False,
        help_text="When the run before is not over: skip, queue_one, queue_all, cancel_running or allow.",
    )
    catch_up = serializers.ChoiceField(
        CatchUp.choices, required=False, help_text="What is run of what was missed: latest, none or all."
    )
    catch_up_within = LengthField(
        source="catch_up_within_s",
        nothing=None,
        help_text="ISO 8601, like PT1H: what was missed longer ago than that is not run any more. Null: no limit.",
    )
    priority = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=100,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), BAD_PRIORITY),
        help_text="0 to 100: lower goes first. 50 by default.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Policies that contradict each other are refused, with the way out."""
        attrs = super().validate(attrs)
        runnable = getattr(self.instance, "runnable", None) if self.partial else None
        value = {name: attrs.get(name, getattr(runnable or DEFAULTS, name)) for name in POLICY_FIELDS}
        if value["catch_up"] == CatchUp.ALL and value["overlap"] not in {Overlap.QUEUE_ALL, Overlap.ALLOW}:
            said = ErrorDetail(ALL_BUT_SKIPPED.format(value["overlap"]), "skips_some")
            raise serializers.ValidationError({"catch_up": [said]})
        if value["catch_up"] == CatchUp.NONE and value["catch_up_within_s"]:
            raise serializers.ValidationError({"catch_up_within": [ErrorDetail(NONE_WITHIN, "limits_nothing")]})
        return attrs


class PreviewSerializer(ScheduleSerializer):
    """A schedule, and how far ahead to look."""

    after = MomentField(required=False, help_text="Look from here; by default, from now.")
    count = serializers.IntegerField(default=5, min_value=1, max_value=100, help_text="How many times to give.")
    tag = serializers.CharField(
        max_length=200,
        required=False,
        help_text="Of a job with this tag, which need not be there: its place in the spread is added to its times.",
    )


class PlannedSerializer(serializers.Serializer[Any]):
    """What a schedule means."""

    next = serializers.ListField(
        child=serializers.DateTimeField(),
        help_text="The next times, in UTC. With a tag: when it starts, spread included.",
    )
    ends = serializers.BooleanField(help_text="Whether nothing comes after the last of them.")
    words = serializers.CharField(help_text="The schedule in words.")
    time_zone = serializers.CharField(help_text="The zone in which it is computed.")
