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
from badgerjobs.lib.schedule_fields import REPEATS, out_of_reach
from badgerjobs.lib.spread import spread_too_long
from badgerjobs.runs.length_fields import LengthField, MillisecondsField
from badgerjobs.runs.models import CatchUp, Overlap, Preset, Runnable
from badgerjobs.runs.schedules import POLICY_FIELDS, RHYTHM_FIELDS
from badgerjobs.web.serializers import MomentField, OneOfField, StrictSerializer

MOST_RUNS = 1_000_000_000
NOT_RECURRING = "Only what repeats can end after some runs: give run_every, cron or preset, or leave max_runs out."
ALL_BUT_SKIPPED = (
    "“all” runs every occurrence that was missed, and overlap “{}” would not: "
    "set overlap to queue_all or allow, or catch_up to latest."
)
NOTHING_SPREAD = (
    "What runs by hand has no time to be spread from: give run_at, run_every, cron or preset, or spread null."
)
NOTHING_MISSED = (
    "What runs by hand is never missed: give run_at, run_every, cron or preset; or {}, as it is for what has none."
)
NONE_WITHIN = "“none” catches up nothing, however recent: set catch_up to latest or all, or leave catch_up_within out."
REPLACE = "It has a {0} already: send {0} null beside this, and {1} takes its place."
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
        if stays := self._unless_replaced(attrs):
            raise serializers.ValidationError(stays)
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
        if (
            value["spread_s"]
            and self.planned.is_by_hand
            and not _is_so_by_hand(self.instance, spread_s=value["spread_s"])
        ):
            raise serializers.ValidationError({"spread": [ErrorDetail(NOTHING_SPREAD, "by_hand")]})
        spread = timedelta(seconds=value["spread_s"] or 0)
        if spread and (said := spread_too_long(self.planned, spread, now)):
            raise serializers.ValidationError({"spread": [said]})

    def _unless_replaced(self, attrs: Mapping[str, Any]) -> dict[str, list[str]]:
        """The repetition that is given beside one that is there and stays: a sentence that says how the one goes."""
        given = [name for name in REPEATS if attrs.get(name)]
        stays = [name for name in REPEATS if name not in attrs and self._before(name)]
        if len(given) != 1 or not stays:
            return {}
        return {given[0]: [REPLACE.format(stays[0], given[0])]}

    def _says_the_same(self, data: Mapping[str, Any]) -> bool:
        """Whether somebody sends back what was read: both are there then."""
        try:
            return bool(durations.parse(str(data["run_every"])).milliseconds == data["run_every_ms"])
        except durations.BadDurationError:
            return False

    def _before(self, name: str) -> Any:
        runnable = getattr(self.instance, "runnable", None) if self.partial else None
        return getattr(runnable, name, None) if runnable else ("UTC" if name == "time_zone" else None)


def contradiction(overlap: str, catch_up: str, within_s: int | None) -> tuple[str, ErrorDetail] | None:
    """Which field is wrong where policies contradict each other, and the way out; None: they go together."""
    if catch_up == CatchUp.ALL and overlap not in {Overlap.QUEUE_ALL, Overlap.ALLOW}:
        return "catch_up", ErrorDetail(ALL_BUT_SKIPPED.format(overlap), "skips_some")
    if catch_up == CatchUp.NONE and within_s:
        return "catch_up_within", ErrorDetail(NONE_WITHIN, "limits_nothing")
    return None


class PolicySerializer(StrictSerializer):
    """How the engine handles it: what overlaps, what was missed, what goes first."""

    overlap = OneOfField(
        Overlap.choices,
        required=False,
        help_text="When the run before is not over: skip, queue_one, queue_all, cancel_running or allow.",
    )
    catch_up = OneOfField(
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
        if found := contradiction(value["overlap"], value["catch_up"], value["catch_up_within_s"]):
            name, said = found
            raise serializers.ValidationError({name: [said]})
        self._judge_by_hand(value)
        return attrs

    def _judge_by_hand(self, value: Mapping[str, Any]) -> None:
        """What nobody plans is never missed, where there is a schedule beside these."""
        planned: Schedule | None = getattr(self, "planned", None)
        if not planned or not planned.is_by_hand:
            return
        for field, name, usual in (
            ("catch_up", "catch_up", "latest"),
            ("catch_up_within", "catch_up_within_s", "null"),
        ):
            if value[name] != getattr(DEFAULTS, name) and not _is_so_by_hand(self.instance, **{name: value[name]}):
                said = ErrorDetail(NOTHING_MISSED.format(f"{field} {usual}"), "by_hand")
                raise serializers.ValidationError({field: [said]})


def _is_so_by_hand(instance: Any, **column: Any) -> bool:
    """Whether what is there has this value and runs by hand already: what was stored once can be sent back."""
    runnable = getattr(instance, "runnable", None)
    if not isinstance(runnable, Runnable) or not runnable.schedule.is_by_hand:
        return False
    return all(getattr(runnable, name) == value for name, value in column.items())


class PreviewSerializer(ScheduleSerializer):
    """A schedule, and how far ahead to look."""

    after = MomentField(required=False, help_text="Look from here, up to ten years ahead; by default, from now.")
    count = serializers.IntegerField(default=5, min_value=1, max_value=100, help_text="How many times to give.")
    tag = serializers.CharField(
        max_length=200,
        required=False,
        help_text="Of a job with this tag, which need not be there: its place in the spread is added to its times.",
    )

    def validate_after(self, after: datetime) -> datetime:
        """Not so far away that computing breaks off, or takes seconds."""
        if said := out_of_reach(after, timezone.now()):
            raise serializers.ValidationError(said)
        return after


class PlannedSerializer(serializers.Serializer[Any]):
    """What a schedule means."""

    next = serializers.ListField(
        child=serializers.DateTimeField(),
        help_text="The next times, in UTC. With a tag: when it starts, spread included.",
    )
    ends = serializers.BooleanField(help_text="Whether nothing comes after the last of them.")
    words = serializers.CharField(help_text="The schedule in words.")
    time_zone = serializers.CharField(help_text="The zone in which it is computed.")
