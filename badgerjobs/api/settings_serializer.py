"""What an application decides for all that is in it, as REST shows and takes it."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from badgerjobs.lib.retry_fields import FIELDS
from badgerjobs.runs.breaker_form import MOST_IN_A_ROW, MOST_MINUTES, paused_already
from badgerjobs.runs.limiting import MOST_LIMIT, limits_of
from badgerjobs.runs.retry_serializer import RetryFieldsSerializer, chosen_or_refused, shown
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.retry_policy import columns_of
from badgerjobs.workspaces.services import MOST_DAYS

MOST_LATE_S = 7 * 86_400


def _whole_minutes(seconds: int) -> None:
    # The panel shows and saves minutes: it must not change what a program has set.
    if seconds % 60:
        raise serializers.ValidationError("Give the seconds of whole minutes, like 300.")


def _perhaps(least: int, most: int | None = None, **more: Any) -> serializers.IntegerField:
    """A whole number, or null."""
    return serializers.IntegerField(required=False, allow_null=True, min_value=least, max_value=most, **more)


class ApplicationSerializer(RetryFieldsSerializer):
    """An application with its settings, and with Repeater's counts. Its retry policy is what new jobs begin with."""

    name = serializers.CharField(read_only=True, help_text="Its name.")
    workspace = serializers.CharField(source="workspace.name", read_only=True, help_text="The workspace it belongs to.")
    concurrent_runs = _perhaps(1, MOST_LIMIT, help_text="How many of its runs go on at once. Null: no limit.")
    runs_per_minute = _perhaps(1, MOST_LIMIT, help_text="How many of its runs begin in a minute. Null: no limit.")
    requests_per_second = _perhaps(
        1, help_text="How many API requests it may make in a second. Null: as many as the installation takes."
    )
    retention_days = _perhaps(
        1, MOST_DAYS, help_text="For how many days finished runs are kept. Null: as the installation has it."
    )
    background_retention_days = _perhaps(
        0,
        MOST_DAYS,
        help_text="For how many days finished background tasks are kept. "
        "0: for ever. Null: as the installation has it.",
    )
    warn_after = _perhaps(
        1, MOST_IN_A_ROW, help_text="Somebody is told after so many failed runs of a job in a row. Null: never."
    )
    pause_after = _perhaps(
        1, MOST_IN_A_ROW, help_text="A job is paused after so many failed runs in a row. Null: never."
    )
    probe_after = serializers.IntegerField(
        source="probe_after_s",
        required=False,
        min_value=60,
        max_value=MOST_MINUTES * 60,
        validators=[_whole_minutes],
        help_text="Seconds, in whole minutes: so long after that pause one run tries whether the job is well again.",
    )
    late_after = _perhaps(
        60,
        MOST_LATE_S,
        source="late_after_s",
        validators=[_whole_minutes],
        help_text="Seconds, in whole minutes: when work has not begun by then, somebody is told. Null: never.",
    )
    created_at = serializers.DateTimeField(read_only=True, help_text="When it was made.")
    updated_at = serializers.DateTimeField(read_only=True, help_text="When it was last changed.")
    jobs_count = serializers.IntegerField(read_only=True, help_text="How many jobs it has.")
    scheduled_jobs_count = serializers.IntegerField(read_only=True, help_text="How many of them have a next run.")

    def validate_requests_per_second(self, value: int | None) -> int | None:
        """No more than the installation takes."""
        most = settings.RATE_LIMIT_PER_SECOND
        if value and value > most:
            raise serializers.ValidationError(f"At most {most:,}: more this installation does not take.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Judge what is given together with what stays, and give columns in the place of the retry fields."""
        attrs = super().validate(attrs)
        application: Any = self.instance
        _check_warning(attrs, application)
        retries = {name: attrs.pop(name) for name in FIELDS if name in attrs}
        if not retries:
            return attrs
        policy = chosen_or_refused(retries, base=application.policy, retryable=True, had_none=True).policy
        return {**attrs, **columns_of(policy)}

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """With the retry policy by the names that REST has, and the limits."""
        whole = {**vars(instance), "workspace": instance.workspace, **shown(instance), **limits_of(instance)}
        return super().to_representation(whole)


def _check_warning(given: dict[str, Any], application: Application) -> None:
    warn = given.get("warn_after", application.warn_after)
    pause = given.get("pause_after", application.pause_after)
    if not (given.keys() & {"warn_after", "pause_after"} and warn and pause and warn >= pause):
        return
    if "warn_after" in given:
        raise serializers.ValidationError({"warn_after": [paused_already(pause)]})
    said = f"It is warned of after {warn} only: give a greater number, or none; or change `warn_after` as well."
    raise serializers.ValidationError({"pause_after": [said]})
