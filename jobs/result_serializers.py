"""Results and runners as REST shows them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from badgerjobs.runs.models import Attempt
from jobs.examples import RESULT
from jobs.models import EVENT_KIND


@extend_schema_serializer(examples=[RESULT])
class ResultSerializer(serializers.ModelSerializer[Attempt]):
    """What came of one attempt to call."""

    job = serializers.CharField(source="runnable.name", help_text="The job's tag.")
    run_id = serializers.UUIDField(help_text="The run: the same over its retries, sent as `webhook-id`.")
    run = serializers.IntegerField(source="run_number", help_text="Counts the job's runs; the same over its retries.")
    attempt = serializers.IntegerField(source="number", help_text="Which try of the run this was, from 1.")
    run_at = serializers.DateTimeField(source="started_at", help_text="When the call was made.")
    duration = serializers.IntegerField(source="duration_ms", help_text="Milliseconds until the answer was whole.")
    status = serializers.SerializerMethodField(help_text="The answer's status; null when none came.")
    headers = serializers.SerializerMethodField(help_text="The answer's headers, names in lower case.")
    body = serializers.SerializerMethodField(help_text="The first 64 KB of the answer's body.")
    body_is_base64 = serializers.SerializerMethodField(help_text="The body is not text, and stands here as base64.")
    body_truncated = serializers.SerializerMethodField(help_text="There was more of the body than is kept.")
    result = serializers.SerializerMethodField(help_text="What an event left, as its type has it; null for a call.")
    error = serializers.SerializerMethodField(help_text="Null for a success.")

    class Meta:
        model = Attempt
        fields = [
            "job", "run_id", "run", "attempt", "run_at", "duration", "ok", "status", "headers", "body",
            "body_is_base64", "body_truncated", "result", "error", "created_at",
        ]  # fmt: skip
        extra_kwargs = {
            "ok": {"help_text": "Whether it was a success: an answer that is not in `fail_statuses`."},
            "created_at": {"help_text": "When the result was there."},
        }

    def get_status(self, attempt: Attempt) -> int | None:
        status: int | None = self._kept(attempt, "status")
        return status

    @extend_schema_field({"type": "object", "nullable": True, "additionalProperties": {"type": "string"}})
    def get_headers(self, attempt: Attempt) -> dict[str, str] | None:
        headers: dict[str, str] | None = self._kept(attempt, "headers")
        return headers

    def get_body(self, attempt: Attempt) -> str | None:
        body: str | None = self._kept(attempt, "body")
        return body

    def get_body_is_base64(self, attempt: Attempt) -> bool:
        return bool(self._kept(attempt, "body_is_base64"))

    def get_body_truncated(self, attempt: Attempt) -> bool:
        return bool(self._kept(attempt, "body_truncated"))

    @extend_schema_field({"nullable": True})
    def get_result(self, attempt: Attempt) -> Any:
        is_event = attempt.runnable is not None and attempt.runnable.kind == EVENT_KIND
        return attempt.result if is_event else None

    @extend_schema_field(
        {
            "type": "object",
            "nullable": True,
            "properties": {"class": {"type": "string"}, "message": {"type": "string"}},
        }
    )
    def get_error(self, attempt: Attempt) -> dict[str, str] | None:
        return None if attempt.ok else {"class": attempt.error_class, "message": attempt.error}

    def _kept(self, attempt: Attempt, name: str) -> Any:
        return (attempt.result or {}).get(name)


class RunnerSerializer(serializers.Serializer[Any]):
    """A waiting or running run, or the planned one: what Repeater calls a runner."""

    run_id = serializers.UUIDField(allow_null=True, help_text="Null for the planned run, which is not one yet.")
    priority = serializers.IntegerField(help_text="0 to 100, lower first.")
    queue = serializers.CharField(help_text="Which workers take it.")
    attempts = serializers.IntegerField(help_text="How many attempts failed so far.")
    recurring = serializers.BooleanField(help_text="Whether the job's schedule repeats.")
    running = serializers.BooleanField(help_text="Whether a worker has it now.")
    state = serializers.CharField(help_text="The run's state; scheduled for the planned one.")
    run_at = serializers.DateTimeField(help_text="When it is, or was, due.")
    failed_at = serializers.DateTimeField(allow_null=True, help_text="When the last attempt failed.")
    created_at = serializers.DateTimeField(help_text="When it was made.")
    updated_at = serializers.DateTimeField(help_text="When it last changed.")
