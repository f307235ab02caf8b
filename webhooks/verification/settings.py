"""The settings that verifications have in common."""

from typing import Any

from rest_framework import serializers

from badgerjobs.lib.signatures import TOLERANCE_S
from badgerjobs.web.definitions.configurations import Secrets
from badgerjobs.web.serializers import StrictSerializer

LONGEST_SECRET = 500
# Whoever recorded a call could repeat it for so long.
MOST_TOLERANCE_S = 3600


class HeaderField(serializers.RegexField):
    """The name of a header."""

    default_error_messages = {"invalid": "A header's name holds letters, digits and hyphens: X-Signature, say."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[A-Za-z0-9-]+\Z", max_length=100, **kwargs)


class VerificationSettings(StrictSerializer):
    """Of every verification, `none` too."""

    verify_token = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=LONGEST_SECRET,
        help_text="With the challenge `hub`: what its `hub.verify_token` must be. Reads back as stars.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What is left empty is not kept."""
        return {name: value for name, value in super().validate(attrs).items() if value != ""}


class SecretSettings(VerificationSettings):
    """A secret, and while it is being changed another one."""

    secret = serializers.CharField(
        max_length=LONGEST_SECRET, help_text="As the provider shows it, or as you give it there. Reads back as stars."
    )
    previous_secret = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=LONGEST_SECRET,
        help_text="Verifies as well: the one before, or the next one, while the secret is being changed.",
    )


class TimedSettings(SecretSettings):
    """A secret, where what is signed says when it was."""

    tolerance_s = serializers.IntegerField(
        default=TOLERANCE_S,
        min_value=1,
        max_value=MOST_TOLERANCE_S,
        help_text=f"How far its timestamp may be from now, in seconds: 1 to {MOST_TOLERANCE_S:,}, usually 300.",
    )


TOKEN_ONLY = Secrets(fields=("verify_token",))
ALL_SECRETS = Secrets(fields=("secret", "previous_secret", "verify_token"))
