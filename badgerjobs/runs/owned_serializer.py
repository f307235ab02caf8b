"""What has a runnable, as REST shows and takes it: when it runs, by which policies, and its pause, beside its own."""

from typing import Any

from rest_framework import serializers

from badgerjobs.runs.pause_serializer import PauseSerializer
from badgerjobs.runs.retry_serializer import shown
from badgerjobs.runs.schedules import PAUSE_FIELDS, POLICY_FIELDS, SCHEDULE_FIELDS
from badgerjobs.runs.serializers import PolicySerializer, ScheduleSerializer


class OwnedSerializer(PolicySerializer, PauseSerializer, ScheduleSerializer):
    """The columns of a row's runnable, and what the engine knows of it. How it is retried, a subclass takes."""

    schedule = serializers.SerializerMethodField(help_text="When its schedule runs it, in words.")
    last_run_at = serializers.DateTimeField(
        source="runnable.last_run_at", read_only=True, allow_null=True, help_text="When it last ran; or null."
    )
    next_run_at = serializers.DateTimeField(
        source="runnable.next_run_at",
        read_only=True,
        allow_null=True,
        help_text="When it runs next; null when nothing is planned.",
    )
    scheduled_runs = serializers.IntegerField(
        source="runnable.scheduled_runs",
        read_only=True,
        help_text="How many runs its schedule has made since it was set. At `max_runs` it is finished.",
    )

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """The row with what its runnable says, flat."""
        for name in (*SCHEDULE_FIELDS, *POLICY_FIELDS, *PAUSE_FIELDS):
            setattr(instance, name, getattr(instance.runnable, name))
        for name, value in shown(instance.runnable).items():
            setattr(instance, name, value)
        return super().to_representation(instance)

    def get_schedule(self, row: Any) -> str:
        return str(row.runnable.schedule.words())
