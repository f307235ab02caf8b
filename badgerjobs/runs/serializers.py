"""Schedules, runs and what is known of them, as REST shows and takes them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from badgerjobs.lib import durations
from badgerjobs.lib.schedule import Schedule, ScheduleError
from badgerjobs.lib.spread import spread_too_long
from badgerjobs.runs.length_fields import LengthField, MillisecondsField
from badgerjobs.runs.models import Attempt, CatchUp, Cause, LogLine, Overlap, Preset, Run, Runnable, SkipReason, State
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


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """One try in a run."""

    duration = serializers.IntegerField(source="duration_ms", help_text="Milliseconds.")
    error = serializers.SerializerMethodField(help_text="Null for a good one.")

    class Meta:
        model = Attempt
        fields = ["number", "started_at", "duration", "ok", "error", "result"]
        extra_kwargs = {
            "number": {"help_text": "Which try this was, from 1."},
            "started_at": {"help_text": "When it began."},
            "ok": {"help_text": "Whether it was good."},
            "result": {"help_text": "What came of it. For a call: status, headers, body, whether the body was cut."},
        }

    @extend_schema_field(
        {
            "type": "object",
            "nullable": True,
            "properties": {"class": {"type": "string"}, "message": {"type": "string"}},
            "description": "One word for programs, one sentence for people.",
        }
    )
    def get_error(self, attempt: Attempt) -> dict[str, str] | None:
        """Null for a good attempt."""
        return None if attempt.ok else {"class": attempt.error_class, "message": attempt.error}


class LogLineSerializer(serializers.ModelSerializer[LogLine]):
    """Something said about a run."""

    class Meta:
        model = LogLine
        fields = ["created_at", "level", "attempt", "message", "data"]
        extra_kwargs = {
            "created_at": {"help_text": "When it was said."},
            "level": {"help_text": "info, warning or error."},
            "attempt": {"help_text": "During which attempt, from 1."},
            "message": {"help_text": "What was said."},
            "data": {"help_text": "More of it, for programs."},
        }


class RunSerializer(serializers.ModelSerializer[Run]):
    """One execution."""

    name = serializers.CharField(
        source="runnable.name", default=None, read_only=True, help_text="Of what: a job's tag. Null for runs of code."
    )
    state = serializers.ChoiceField(State.choices, help_text="Where it is: docs/run-life-cycle.md.")
    attempt_count = serializers.IntegerField(source="attempts", help_text="How many attempts have ended.")
    cause = serializers.ChoiceField(Cause.choices, help_text="Why there is a run.")
    error_class = BlankField(
        read_only=True, help_text="The same in one word: the class of the error. Null when nothing was wrong."
    )
    skip_reason = BlankField(
        read_only=True, help_text=f"Why it was not run: {', '.join(SkipReason.values)}. Null unless it was skipped."
    )

    class Meta:
        model = Run
        fields = [
            "id", "kind", "name", "number", "state", "held", "cause", "replay_of", "occurrence", "skipped_until",
            "skipped_count", "skip_reason", "due_at", "attempt_count", "priority", "queue", "error", "error_class",
            "created_at", "started_at", "finished_at",
        ]  # fmt: skip
        extra_kwargs = {
            "id": {"help_text": "The same over all attempts; sent with each call as `webhook-id`."},
            "kind": {"help_text": "What it performs: http."},
            "number": {"help_text": "Counts the runs of a job, from 1. 0 for what was skipped."},
            "held": {"help_text": "Whether it waits until the run before it is over."},
            "skipped_until": {"help_text": "The last of the occurrences that were skipped; `occurrence` is the first."},
            "skipped_count": {"help_text": "How many occurrences were skipped. Null unless it was skipped."},
            "replay_of": {"help_text": "The id of the run that this one repeats. Null for all but replays."},
            "occurrence": {"help_text": "The planned time it stands for. Null when it was not planned."},
            "due_at": {"help_text": "When it may be taken; while retrying, when the next attempt is due."},
            "priority": {"help_text": "0 to 100, lower first."},
            "queue": {"help_text": "Which workers take it."},
            "error": {"help_text": "What was wrong with the last attempt. Empty when nothing was."},
            "created_at": {"help_text": "When it was queued first."},
            "started_at": {"help_text": "When a worker first took it."},
            "finished_at": {"help_text": "When it was over. Null until then."},
        }


class RunDetailSerializer(RunSerializer):
    """One execution, with its attempts and what was said about it."""

    attempts = AttemptSerializer(source="tries", many=True, help_text="Those that ended, in their order.")
    log = LogLineSerializer(many=True, help_text="What was said about it, in order.")

    class Meta(RunSerializer.Meta):
        fields = [*RunSerializer.Meta.fields, "input", "output", "attempts", "log"]
        extra_kwargs = {
            **RunSerializer.Meta.extra_kwargs,
            "input": {"help_text": "What it was given."},
            "output": {"help_text": "What it gave."},
        }
