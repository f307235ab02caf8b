"""A user name and a password, as HTTP has them."""

import base64
import binascii
from datetime import datetime

from rest_framework import serializers

from badgerjobs.lib.vault import MASK
from webhooks.models import Verification
from webhooks.receiving.calls import Call
from webhooks.verification import Scheme, Settings
from webhooks.verification.ids import usual
from webhooks.verification.judging import is_among, missing, not_kept
from webhooks.verification.settings import ALL_SECRETS, LONGEST_SECRET, SecretSettings

HEADER = "Authorization"


class BasicSettings(SecretSettings):
    """`secret` is the password."""

    username = serializers.CharField(
        max_length=LONGEST_SECRET, help_text="The user name. The password is the `secret`."
    )

    def validate_username(self, name: str) -> str:
        """Behind the first colon the password begins."""
        if ":" in name:
            raise serializers.ValidationError("A user name holds no colon.")
        return name


def verify(settings: Settings, call: Call, _now: datetime) -> str:
    """It does not vouch for the body: whoever has both may send anything."""
    said = call.headers.get(HEADER.lower())
    if not said:
        return missing(HEADER)
    if said == MASK:
        return not_kept(HEADER)
    scheme, _, encoded = said.partition(" ")
    if scheme.lower() != "basic":
        return f"{HEADER} is not Basic."
    try:
        given = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return f"{HEADER} is no user name and password."
    expected = [
        f"{settings['username']}:{settings[name]}" for name in ("secret", "previous_secret") if settings.get(name)
    ]
    return "" if is_among([given], expected) else "User name or password are wrong."


BASIC = Scheme(
    BasicSettings,
    verify,
    usual,
    Verification.BASIC.label,
    "Sent with each call, as https://user:password@… does. It does not vouch for the body.",
    ALL_SECRETS,
)
