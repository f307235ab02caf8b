"""The history of a job and the statistics of many, as REST shows them."""

from typing import Any

from rest_framework import serializers

from jobs.history import STATUS

STATUSES = ", ".join(dict.fromkeys(STATUS.values()))


class ExecutionSerializer(serializers.Serializer[Any]):
    """A run, in Ductape's words."""

    run_id = serializers.UUIDField(help_text="The run: `runs/{id}/` has its attempts and its log.")
    number = serializers.IntegerField(help_text="Counts the job's runs, from 1.")
    started_at = serializers.DateTimeField(allow_null=True, help_text="When it was first taken; null before.")
    completed_at = serializers.DateTimeField(allow_null=True, help_text="When it was over; null before.")
    duration_ms = serializers.IntegerField(
        allow_null=True, help_text="Milliseconds between the two, waits before retries included; null before."
    )
    status = serializers.CharField(help_text=f"One of {STATUSES}.")
    error = serializers.CharField(allow_null=True, help_text="What was wrong with the last attempt; null for nothing.")
    result = serializers.JSONField(
        allow_null=True, help_text="What the last attempt left; null before, or for nothing."
    )


class HistorySerializer(serializers.Serializer[Any]):
    """How often a job ran, of the runs that are kept, and the last of them. What was skipped is not counted."""

    tag = serializers.CharField(help_text="The job's tag.")
    total_executions = serializers.IntegerField(help_text="How many runs there are, those that are not over too.")
    successful_executions = serializers.IntegerField(help_text="How many of them succeeded.")
    failed_executions = serializers.IntegerField(help_text="How many failed, after all their attempts.")
    executions = ExecutionSerializer(many=True, help_text="The last of them, newest first.")


class StatisticsSerializer(serializers.Serializer[Any]):
    """How the runs of some jobs are, of those that are kept."""

    jobs = serializers.IntegerField(help_text="How many jobs match.")
    total = serializers.IntegerField(help_text="All runs of the next six numbers.")
    scheduled = serializers.IntegerField(help_text="Planned next runs, and runs that wait for their time or a retry.")
    queued = serializers.IntegerField(help_text="Runs that wait for a slot, or for the one before.")
    running = serializers.IntegerField(help_text="Runs that run.")
    completed = serializers.IntegerField(help_text="Runs that succeeded.")
    failed = serializers.IntegerField(help_text="Runs that failed, after all their attempts.")
    cancelled = serializers.IntegerField(help_text="Runs that were aborted.")
    success_rate = serializers.FloatField(
        allow_null=True, help_text="Which part of those that completed or failed completed: 0 to 1; null for none."
    )
    completed_first_try = serializers.IntegerField(help_text="Runs that succeeded with their first attempt.")
    completed_after_retry = serializers.IntegerField(help_text="Runs that succeeded with a later one.")
    avg_retry_count = serializers.FloatField(
        allow_null=True, help_text="How many retries those that completed or failed took, on average; null for none."
    )
