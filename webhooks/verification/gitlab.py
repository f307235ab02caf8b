"""GitLab: a signing token, as Standard Webhooks has it; or a secret token, which it sends as it is."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from badgerjobs.lib.signatures import PREFIX
from badgerjobs.lib.vault import MASK
from webhooks.models import Verification
from webhooks.receiving.calls import Call
from webhooks.verification import Scheme, Settings, standard
from webhooks.verification.ids import in_headers
from webhooks.verification.judging import is_among, missing, not_kept, readings
from webhooks.verification.settings import ALL_SECRETS, TimedSettings

HEADER = "X-Gitlab-Token"
ONE_KIND = "Both secrets are signing tokens, which begin with whsec_, or neither is."


class GitLabSettings(TimedSettings):
    """Its secret token; or its signing token, which begins with `whsec_`."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A signing token is one that can be signed with; and a token that is sent is never taken for one."""
        attrs = super().validate(attrs)
        is_signing = attrs["secret"].startswith(PREFIX)
        if attrs.get("previous_secret", attrs["secret"]).startswith(PREFIX) != is_signing:
            raise serializers.ValidationError({"previous_secret": [ONE_KIND]})
        if is_signing:
            standard.ensure_secrets(attrs)
        return attrs


def verify(settings: Settings, call: Call, now: datetime) -> str:
    """By its signature where a signing token is set: then no token that is merely sent is believed."""
    if str(settings.get("secret", "")).startswith(PREFIX):
        return standard.verify(settings, call, now)
    said = call.headers.get(HEADER.lower())
    if not said:
        return missing(HEADER)
    if said == MASK:
        return not_kept(HEADER)
    secrets = [settings[name] for name in ("secret", "previous_secret") if settings.get(name)]
    return "" if is_among(readings(said), secrets) else f"{HEADER} is not the secret."


_unsigned_id = in_headers("webhook-id", "idempotency-key", "x-gitlab-event-uuid")


def event_id(call: Call) -> str:
    """Of what is signed the id that is signed too, and no other: with a signing token nothing else was believed."""
    return standard.event_id(call) if standard.is_signed(call) else _unsigned_id(call)


GITLAB = Scheme(
    GitLabSettings,
    verify,
    event_id,
    Verification.GITLAB.label,
    "GitLab's signing token, which begins with whsec_, or its secret token, which does not vouch for the body.",
    ALL_SECRETS,
    standard.proofs,
)
