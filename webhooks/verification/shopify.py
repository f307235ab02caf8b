"""Shopify: the HMAC of the body, in base64, by the app's client secret."""

import base64
from datetime import datetime

from webhooks.models import Verification
from webhooks.receiving.calls import Call
from webhooks.verification import Scheme, Settings
from webhooks.verification.ids import in_headers, kept
from webhooks.verification.judging import digests, is_among, keys_of, mismatch, missing, offers
from webhooks.verification.settings import ALL_SECRETS, SecretSettings

HEADER = "X-Shopify-Hmac-Sha256"

_webhook_id = in_headers("x-shopify-webhook-id")


def verify(settings: Settings, call: Call, _now: datetime) -> str:
    """It says nothing of when it was: repeats are known by their id."""
    said = call.headers.get(HEADER.lower())
    if not said:
        return missing(HEADER)
    expected = (base64.b64encode(one).decode() for one in digests(keys_of(settings), call.raw))
    return "" if is_among(offers(said), expected) else mismatch(HEADER)


def event_id(call: Call) -> str:
    """The event's id with its topic: one event may be told of under two topics, which are no repeats of each other."""
    event, topic = (call.headers.get(f"x-shopify-{name}", "") for name in ("event-id", "topic"))
    return kept(f"{event} {topic}") if event else _webhook_id(call)


def proofs(_: Settings) -> frozenset[str]:
    """The signature."""
    return frozenset({HEADER.lower()})


SHOPIFY = Scheme(
    SecretSettings,
    verify,
    event_id,
    Verification.SHOPIFY.label,
    "The client secret of the app; of webhooks made in the shop's admin, the secret shown beside them.",
    ALL_SECRETS,
    proofs,
)
