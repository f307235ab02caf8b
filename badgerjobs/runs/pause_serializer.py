"""What is switched off, as REST shows and takes it: why, and until when."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from badgerjobs.runs.breaker import LONGEST_REASON
from badgerjobs.runs.schedules import PAUSE_FIELDS
from badgerjobs.runs.serializers import BlankField
from badgerjobs.web.serializers import MomentField, StrictSerializer

LONGEST_PAUSE = timedelta(days=3653)
IS_ON = "Nothing is paused that is enabled: send “enabled”: false with it, or leave it out."
IS_PAST = "That is past: give a moment to come, or null: it stays so until somebody enables it."
IS_FAR = "That is more than ten years from now: give null: it stays so until somebody enables it."


class PauseSerializer(StrictSerializer):
    """Whether its schedule counts, and if not, why and until when."""

    enabled = serializers.BooleanField(
        default=True,
        help_text="A disabled job has no next run; run it by hand. Disabling it aborts what waits, run by hand or not.",
    )
    pause_reason = BlankField(
        max_length=LONGEST_REASON,
        help_text="Why it is disabled, for people. Null where nobody said so. Only with `enabled: false`.",
    )
    paused_until = MomentField(
        required=False,
        allow_null=True,
        help_text="When it goes on by itself, or is tried where it kept failing. Null: when somebody enables it.",
    )
    paused_at = serializers.DateTimeField(
        source="runnable.paused_at", read_only=True, allow_null=True, help_text="Since when it is disabled; or null."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a pause of what is enabled, and an end of it that is no end."""
        attrs = super().validate(attrs)
        runnable = getattr(self.instance, "runnable", None)
        enabled = attrs.get("enabled", runnable.enabled if runnable and self.partial else True)
        given = {name: attrs[name] for name in PAUSE_FIELDS if attrs.get(name)}
        if enabled and given:
            raise serializers.ValidationError({name: [IS_ON] for name in given})
        until, now = given.get("paused_until"), timezone.now()
        # What was read can be sent back, though its time may have come meanwhile.
        if until and until != getattr(runnable, "paused_until", None):
            if until <= now:
                raise serializers.ValidationError({"paused_until": [IS_PAST]})
            if until > now + LONGEST_PAUSE:
                raise serializers.ValidationError({"paused_until": [IS_FAR]})
        return attrs


class PauseVerbSerializer(StrictSerializer):
    """Why something is paused, and until when."""

    reason = BlankField(max_length=LONGEST_REASON, help_text="Why, for people: up to 300 characters.")
    until = MomentField(
        required=False,
        allow_null=True,
        help_text="When it goes on by itself, up to ten years ahead. Null: when somebody resumes it.",
    )

    def validate_until(self, until: datetime | None) -> datetime | None:
        """To come, and not too far."""
        now = timezone.now()
        if until and until <= now:
            raise serializers.ValidationError(IS_PAST)
        if until and until > now + LONGEST_PAUSE:
            raise serializers.ValidationError(IS_FAR)
        return until
