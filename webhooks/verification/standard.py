"""Standard Webhooks, as many providers sign; by Svix's own header names too, which some of them still use."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework import serializers

from badgerjobs.lib import signatures
from webhooks.models import Verification
from webhooks.receiving.calls import Call
from webhooks.verification import Scheme, Settings
from webhooks.verification.ids import kept
from webhooks.verification.judging import missing
from webhooks.verification.settings import ALL_SECRETS, TimedSettings

PARTS = ("id", "timestamp", "signature")
FAMILIES = ("webhook", "svix")


class StandardSettings(TimedSettings):
    """`whsec_` and base64, or the base64 alone."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What nothing could be signed with is refused."""
        attrs = super().validate(attrs)
        ensure_secrets(attrs)
        return attrs


def ensure_secrets(attrs: Mapping[str, Any]) -> None:
    """Raise ValidationError for a secret that nothing could be signed with."""
    wrong: dict[str, list[str]] = {}
    for name in {"secret", "previous_secret"} & attrs.keys():
        try:
            signatures.ensure_secret(attrs[name])
        except ValueError as error:
            wrong[name] = [str(error)]
    if wrong:
        raise serializers.ValidationError(wrong)


def verify(settings: Settings, call: Call, now: datetime) -> str:
    """`v1,` and base64 of an HMAC over id, timestamp and body: one of those in the header, by one of the secrets."""
    family = _family(call)
    message_id, timestamp, signature = given = [call.headers.get(f"{family}-{part}", "") for part in PARTS]
    if not all(given):
        return missing(f"{family}-{PARTS[given.index('')]}")
    keys = [settings[name] for name in ("secret", "previous_secret") if settings.get(name)]
    tolerance_s = settings.get("tolerance_s", signatures.TOLERANCE_S)
    try:
        signatures.verify(
            keys, message_id, timestamp, signature, call.raw, now=now.timestamp(), tolerance_s=tolerance_s
        )
    except ValueError as error:
        return str(error)
    return ""


def _family(call: Call) -> str:
    """Whose names its headers have: that of the signature says it, or any of them."""
    for parts in (PARTS[-1:], PARTS):
        for family in FAMILIES:
            if any(call.headers.get(f"{family}-{part}") for part in parts):
                return family
    return FAMILIES[0]


def is_signed(call: Call) -> bool:
    """Whether it has a signature, right or wrong."""
    return any(call.headers.get(f"{family}-{PARTS[-1]}") for family in FAMILIES)


def event_id(call: Call) -> str:
    """The id that its signature is over, by the names that are verified: anybody could send another one beside it."""
    return kept(call.headers.get(f"{_family(call)}-{PARTS[0]}", ""))


def proofs(_: Settings) -> frozenset[str]:
    """Id, timestamp and signature."""
    return frozenset(f"{family}-{part}" for family in FAMILIES for part in PARTS)


STANDARD = Scheme(
    StandardSettings,
    verify,
    event_id,
    Verification.STANDARD.label,
    "The provider shows the signing secret: it begins with whsec_.",
    ALL_SECRETS,
    proofs,
)
