"""What the verbs of jobs take: one job's, and those of many at once."""

from typing import Any

from rest_framework import serializers

from badgerjobs.runs.breaker import LONGEST_REASON
from badgerjobs.runs.bulk_serializers import NOT_SAID, WordsField, dry_run
from badgerjobs.runs.length_fields import MillisecondsField
from badgerjobs.runs.pause_serializer import PauseVerbSerializer
from badgerjobs.runs.serializers import BlankField
from badgerjobs.web.serializers import BoundedListField, MomentField, StrictSerializer
from jobs.bulk import MOST
from jobs.ductape_fields import StartField
from jobs.models import EventType
from jobs.standing import Standing

LONGEST_DELAY_MS = 30 * 86_400_000

NO_SCHEDULE = "Say when: give start_at, cron or every."
ONE_RHYTHM = "Give either cron or every, not both."
NO_CRON = "A zone is for a cron: give cron with it, or leave tz out."
BAD_DELAY = f"Give whole milliseconds, 0 to {LONGEST_DELAY_MS:,}, which is 30 days."


class CancelSerializer(StrictSerializer):
    """Why a job is ended."""

    reason = BlankField(max_length=LONGEST_REASON, help_text="Why, for people: up to 300 characters.")


class PauseJobSerializer(PauseVerbSerializer):
    """Why a job is paused, and until when."""


class RescheduleSerializer(StrictSerializer):
    """When a job runs from now on. What is not said of it stays, but that `cron` and `every` replace each other."""

    start_at = StartField(
        required=False,
        help_text="When it runs, or what repeats begins: milliseconds since 1970, or ISO 8601 with a zone. 0 is now.",
    )
    cron = serializers.CharField(max_length=200, required=False, help_text="Five fields, as the job's own.")
    tz = serializers.CharField(max_length=64, required=False, help_text="IANA name of the zone in which cron is meant.")
    every = MillisecondsField(required=False, help_text="Milliseconds between two runs, counted from `start_at`.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """At least one of them, and one rhythm at the most."""
        if not attrs.keys() & {"start_at", "cron", "every"}:
            raise serializers.ValidationError({"start_at": [NO_SCHEDULE]})
        if "cron" in attrs and "every" in attrs:
            raise serializers.ValidationError({"every": [ONE_RHYTHM]})
        if "tz" in attrs and "cron" not in attrs:
            raise serializers.ValidationError({"tz": [NO_CRON]})
        return attrs


class RetryJobSerializer(StrictSerializer):
    """When the last run that failed is replayed."""

    delay = serializers.IntegerField(
        default=0,
        min_value=0,
        max_value=LONGEST_DELAY_MS,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value", "null"), BAD_DELAY),
        help_text="Milliseconds from now: 0, which is at once, to 30 days.",
    )


class JobChoiceSerializer(StrictSerializer):
    """Which jobs are meant: those that all of these hold for."""

    tags = BoundedListField(
        child=serializers.CharField(max_length=200, trim_whitespace=False),
        required=False,
        allow_empty=False,
        max_length=MOST,
        help_text=f"Jobs with these tags, up to {MOST:,}.",
    )
    event_type = WordsField(EventType.values, help_text=f"One or more of {', '.join(EventType.values)}.")
    event_tag = WordsField(help_text="That perform these events: one or more tags.")
    status = WordsField(Standing.values, help_text=f"One or more of {', '.join(Standing.values)}.")
    since = MomentField(required=False, help_text="Created at or after this time, ISO 8601 with a zone.")
    until = MomentField(required=False, help_text="Created before this time.")
    dry_run = dry_run()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nobody means all jobs by saying nothing. Raises ValidationError."""
        if not attrs.keys() - {"dry_run", "reason"}:
            everything = f'All are {{"status": "{",".join(Standing.values)}"}}.'
            raise serializers.ValidationError({"tags": [NOT_SAID.format("jobs", "tags", everything)]})
        return attrs


class CancelManySerializer(JobChoiceSerializer, CancelSerializer):
    """Which jobs are ended, as far as there is something to end, and why."""


class JobCountSerializer(serializers.Serializer[Any]):
    """How many it were, and whether that was all."""

    count = serializers.IntegerField(help_text="How many jobs; in a dry run, how many it would be.")
    more = serializers.BooleanField(help_text=f"Whether there are more: one request takes {MOST:,}. Send it again.")
