"""Schedules, runs and what is known of them, as REST shows and takes them."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from badgerjobs.lib.schedule import Schedule, ScheduleError
from badgerjobs.runs.models import Attempt, Cause, LogLine, Preset, Run, State
from badgerjobs.runs.schedules import RHYTHM_FIELDS
from badgerjobs.web.serializers import MomentField, StrictSerializer


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

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Look at the whole schedule: what is given, over what was there before."""
        given = {name: attrs[name] if name in attrs else self._before(name) for name in RHYTHM_FIELDS}
        try:
            self.planned = Schedule.parse(now=timezone.now(), preset_time_zone=settings.PRESET_TIME_ZONE, **given)
        except ScheduleError as error:
            raise serializers.ValidationError({field: [said] for field, said in error.errors.items()}) from None
        return attrs

    def _before(self, name: str) -> Any:
        runnable = getattr(self.instance, "runnable", None) if self.partial else None
        return getattr(runnable, name, None) if runnable else ("UTC" if name == "time_zone" else None)


class PreviewSerializer(ScheduleSerializer):
    """A schedule, and how far ahead to look."""

    after = MomentField(required=False, help_text="Look from here; by default, from now.")
    count = serializers.IntegerField(default=5, min_value=1, max_value=100, help_text="How many times to give.")


class PlannedSerializer(serializers.Serializer[Any]):
    """What a schedule means."""

    next = serializers.ListField(child=serializers.DateTimeField(), help_text="The next times, in UTC.")
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

    class Meta:
        model = Run
        fields = [
            "id", "kind", "name", "number", "state", "cause", "replay_of", "occurrence", "due_at", "attempt_count",
            "priority", "queue", "error", "created_at", "started_at", "finished_at",
        ]  # fmt: skip
        extra_kwargs = {
            "id": {"help_text": "The same over all attempts; sent with each call as `webhook-id`."},
            "kind": {"help_text": "What it performs: http."},
            "number": {"help_text": "Counts the runs of a job, from 1."},
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
