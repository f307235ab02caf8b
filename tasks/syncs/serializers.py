"""Syncs of keys as REST shows them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from badgerjobs.web.serializers import ErrorField
from tasks.models import KeySync, SyncState


class SyncSerializer(serializers.Serializer[Any]):
    """One key of one run: how often it was tried, and with what result."""

    id = serializers.UUIDField(help_text="Its id: later ones sort behind earlier ones.")
    key = serializers.CharField(source="key_name", help_text="What the key was called.")
    run = serializers.UUIDField(source="run_id", help_text="The run that fetched it.")
    state = serializers.ChoiceField(SyncState.choices, help_text=f"{', '.join(SyncState.values)}.")
    attempts = serializers.IntegerField(help_text="How often it was tried so far.")
    due_at = serializers.DateTimeField(help_text="When a waiting one may be tried next.")
    started_at = serializers.DateTimeField(allow_null=True, help_text="When its first attempt began.")
    finished_at = serializers.DateTimeField(allow_null=True, help_text="When it was over.")
    duration = serializers.IntegerField(
        source="duration_ms", allow_null=True, help_text="Milliseconds that its last attempt took."
    )
    status = serializers.IntegerField(allow_null=True, help_text="What the source answered, where it did.")
    bytes = serializers.IntegerField(allow_null=True, help_text="How many bytes were stored.")
    etag = serializers.CharField(help_text="The hash of what was stored; empty where nothing was.")
    changed = serializers.BooleanField(allow_null=True, help_text="Whether that differed from what was there before.")
    error = serializers.SerializerMethodField(help_text="Null for a success; else its `class` and `message`.")

    @extend_schema_field(ErrorField)
    def get_error(self, sync: KeySync) -> dict[str, str] | None:
        return {"class": sync.error_class, "message": sync.error} if sync.error_class else None
