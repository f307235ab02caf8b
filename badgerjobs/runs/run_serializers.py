"""Runs, their attempts and their log, as REST shows them."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from badgerjobs.runs.models import Attempt, Cause, LogLine, Run, SkipReason, State
from badgerjobs.runs.serializers import BlankField


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
        fields = ["created_at", "level", "attempt", "rescues", "message", "data"]
        extra_kwargs = {
            "created_at": {"help_text": "When it was said."},
            "level": {"help_text": "info, warning or error."},
            "attempt": {"help_text": "During which attempt, from 1."},
            "rescues": {
                "help_text": "How often the run had been taken back from a dead worker by then, in this iteration: an "
                "attempt that is made again keeps its number."
            },
            "message": {"help_text": "What was said."},
            "data": {"help_text": "More of it, for programs."},
        }


class RunSerializer(serializers.ModelSerializer[Run]):
    """One execution."""

    name = serializers.SerializerMethodField(
        help_text="Of what: a job's tag; where there is no job, what people call it, like a background task's name. "
        "Null where that is nothing."
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
            "number": {"help_text": "Counts the runs of a job, from 1. 0 for what was skipped, and of deliveries."},
            "held": {"help_text": "Whether it waits until the run before it is over."},
            "skipped_until": {"help_text": "The last of the occurrences that were skipped; `occurrence` is the first."},
            "skipped_count": {"help_text": "How many occurrences were skipped. Null unless it was skipped."},
            "replay_of": {
                "help_text": "The id of the run that this one repeats, or goes on with after a pause of its webhook. "
                "Null for all others."
            },
            "occurrence": {"help_text": "The planned time it stands for. Null when it was not planned."},
            "due_at": {"help_text": "When it may be taken; while retrying, when the next attempt is due."},
            "priority": {"help_text": "0 to 100, lower first."},
            "queue": {"help_text": "Which workers take it."},
            "error": {"help_text": "What was wrong with the last attempt. Empty when nothing was."},
            "created_at": {"help_text": "When it was queued first."},
            "started_at": {"help_text": "When a worker first took it."},
            "finished_at": {"help_text": "When it was over. Null until then."},
        }

    def get_name(self, run: Run) -> str | None:
        """That of its runnable, or its `subject`, once somebody has looked (`shown.entitle_alone`)."""
        return run.runnable.name if run.runnable else run.subject or None


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
