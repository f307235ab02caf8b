"""Slack: the HMAC of version, timestamp and body, in hex; and the challenge that it sends before its first event."""

from datetime import datetime

from webhooks.models import Verification
from webhooks.receiving.calls import Call
from webhooks.verification import Scheme, Settings
from webhooks.verification.ids import fields_of, in_body
from webhooks.verification.judging import digests, in_hex, keys_of, mismatch, missing, offers, out_of_time
from webhooks.verification.settings import ALL_SECRETS, TimedSettings

HEADER = "X-Slack-Signature"
TIMESTAMP = "X-Slack-Request-Timestamp"
VERSION = "v0"
# A challenge has some fifty characters. What is much longer than its body is no challenge.
CHALLENGE_BYTES = 4000
LONGEST_CHALLENGE = 200


def verify(settings: Settings, call: Call, now: datetime) -> str:
    """`v0=` and hex, over `v0:TIMESTAMP:BODY`."""
    said, timestamp = call.headers.get(HEADER.lower()), call.headers.get(TIMESTAMP.lower())
    if not said:
        return missing(HEADER)
    if not timestamp:
        return missing(TIMESTAMP)
    if reason := out_of_time(TIMESTAMP, timestamp, settings, now):
        return reason
    expected = digests(keys_of(settings), f"{VERSION}:{timestamp}:".encode(), call.raw)
    return "" if in_hex(offers(said, f"{VERSION}="), expected) else mismatch(HEADER)


def challenge(call: Call) -> str:
    """What `url_verification` asks to be answered with; empty for every other call."""
    if len(call.raw) > CHALLENGE_BYTES or b"url_verification" not in call.raw:
        return ""
    fields = fields_of(call)
    asked = fields.get("challenge")
    is_one = fields.get("type") == "url_verification" and isinstance(asked, str) and len(asked) <= LONGEST_CHALLENGE
    return str(asked) if is_one else ""


def proofs(_: Settings) -> frozenset[str]:
    """Timestamp and signature."""
    return frozenset({HEADER.lower(), TIMESTAMP.lower()})


SLACK = Scheme(
    TimedSettings,
    verify,
    in_body("event_id"),
    Verification.SLACK.label,
    "The signing secret, which stands in the app's basic information.",
    ALL_SECRETS,
    proofs,
    challenge,
)
