"""Background tasks as REST shows and takes them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from badgerjobs.runs.models import LogLine
from badgerjobs.runs.serializers import BlankField
from badgerjobs.web.definitions.json_text import TOO_LARGE
from badgerjobs.web.serializers import StrictSerializer
from tasks.background.definitions import Definition
from tasks.background.inputs import schema_of
from tasks.background.preparing import LONGEST_NAME
from tasks.background.services import LONGEST_MESSAGE
from tasks.background.snapshot import BackgroundTask
from tasks.background.standing import STATUSES


class CreatorSerializer(serializers.Serializer[Any]):
    """Who triggered a task."""

    id = serializers.CharField(help_text="Of a token and of a run its id, which never changes; of all else the name.")
    displayName = serializers.CharField(help_text="What the audit log calls them.")  # noqa: N815  Webiny's word
    type = serializers.CharField(help_text="admin, api-key, run or system.")


class BriefTaskSerializer(serializers.Serializer[BackgroundTask]):
    """One run of a definition, without what it was given and what it made."""

    id = serializers.UUIDField(help_text="The same as that of its run.")
    name = serializers.CharField(help_text="The title of its definition, unless it was given another one.")
    definition = serializers.CharField(source="definition_id", help_text="The id of its definition.")
    status = serializers.ChoiceField(
        choices=[(status, status) for status in STATUSES],
        help_text="pending until it begins; running until it is over, between its iterations too.",
    )
    iterations = serializers.IntegerField(help_text="How many were begun so far.")
    progress = serializers.FloatField(allow_null=True, help_text="0 to 1, where the code says so.")
    progress_message = BlankField(help_text="What the code says of how far it is, or null.")
    error = BlankField(help_text="Why it failed or was aborted. Null else.")
    parent = serializers.UUIDField(  # type: ignore[assignment]  # what DRF itself calls so is not reached by rows
        source="parent_id", allow_null=True, help_text="The task that triggered it, or null."
    )
    created_by = CreatorSerializer(help_text="Who triggered it; of a child, who triggered its parent.")
    due_at = serializers.DateTimeField(help_text="When it begins or goes on, while it waits.")
    created_at = serializers.DateTimeField(help_text="When it was triggered.")
    saved_at = serializers.DateTimeField(help_text="When it changed last.")
    started_at = serializers.DateTimeField(allow_null=True, help_text="When its first iteration began.")
    finished_at = serializers.DateTimeField(allow_null=True, help_text="When it was over, in whatever way.")


class BackgroundTaskSerializer(BriefTaskSerializer):
    """One run of a definition."""

    input = serializers.JSONField(help_text="What the next iteration is given, or the last one was.")
    output = serializers.JSONField(
        allow_null=True, help_text="What it has made so far; of one that failed {error: {message, code, data}}."
    )


class GivenField(serializers.JSONField):
    """Any JSON. What the body's parser lets by and JSON has not, are numbers that are infinity to Python."""

    default_error_messages = {"invalid": TOO_LARGE}


class TriggerSerializer(StrictSerializer):
    """What is to be run, and when."""

    definition = serializers.CharField(max_length=100, help_text="The id of a public definition.")
    input = GivenField(
        required=False,
        default=dict,
        allow_null=True,
        help_text="A JSON object: what the definition takes is in its `input_schema`.",
    )
    name = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        allow_null=True,
        max_length=LONGEST_NAME,
        help_text="Else the definition's title.",
    )
    delay = GivenField(
        required=False,
        default=0,  # type: ignore[arg-type]  # any JSON may be one
        allow_null=True,
        help_text="Whole seconds to wait before its first iteration: less than 355 days.",
    )


class AbortTaskSerializer(StrictSerializer):
    """How a task is to be ended."""

    message = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=LONGEST_MESSAGE, help_text="Why; kept in its log."
    )
    cascade = serializers.BooleanField(
        required=False, default=True, help_text="Whether what it has triggered is ended as well."
    )


class DefinitionSerializer(serializers.Serializer[Definition]):
    """A background task that may be triggered."""

    id = serializers.CharField(help_text="What it is triggered by.")
    title = serializers.CharField(help_text="What people call it.")
    description = BlankField(help_text="What it does, or null.")
    max_iterations = serializers.IntegerField(help_text="So many at most; then the task fails.")
    timeout_s = serializers.FloatField(help_text="So many seconds an iteration may take.")
    retries = serializers.IntegerField(help_text="How often an iteration that failed is tried again.")
    input_schema = serializers.SerializerMethodField(help_text="The JSON schema of its input; null: any object.")

    @extend_schema_field({"type": "object", "nullable": True, "additionalProperties": True})
    def get_input_schema(self, definition: Definition) -> dict[str, Any] | None:
        """What its class says."""
        return schema_of(definition)


class TaskLogSerializer(serializers.ModelSerializer[LogLine]):
    """One line that a task, or the engine of it, wrote."""

    class Meta:
        model = LogLine
        fields = ["iteration", "attempt", "rescues", "level", "message", "data", "created_at"]
        extra_kwargs = {
            "iteration": {"help_text": "In which iteration, from 1."},
            "attempt": {"help_text": "In which attempt of the run, from 1."},
            "rescues": {
                "help_text": "How often the iteration had been taken back from a dead worker by then: an attempt that "
                "is made again keeps its number."
            },
            "level": {"help_text": "info, warning or error."},
            "message": {"help_text": "What it says."},
            "data": {"help_text": "What belongs to it; of an error of the code {data, error}."},
            "created_at": {"help_text": "When."},
        }
