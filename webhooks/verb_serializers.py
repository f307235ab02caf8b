"""What the verbs of hooks take: pauses, and other addresses."""

from rest_framework import serializers

from badgerjobs.runs.pause_serializer import PauseVerbSerializer
from badgerjobs.web.serializers import StrictSerializer
from webhooks.rotation import MOST_OVERLAP_S, OVERLAP_S


class PauseHookSerializer(PauseVerbSerializer):
    """Why a hook is paused, and until when."""


class RotateSerializer(StrictSerializer):
    """For how long the address of now leads to the hook too."""

    overlap_s = serializers.IntegerField(
        default=OVERLAP_S,
        min_value=0,
        max_value=MOST_OVERLAP_S,
        help_text=f"Seconds: 0 to {MOST_OVERLAP_S:,}. A day, unless given; 0: it leads nowhere at once.",
    )
