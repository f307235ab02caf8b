"""GitHub: the HMAC of the body, in hex, by the secret that its webhook was given."""

from datetime import datetime

from webhooks.models import Verification
from webhooks.receiving.calls import Call
from webhooks.verification import Scheme, Settings
from webhooks.verification.ids import in_headers
from webhooks.verification.judging import digests, in_hex, keys_of, mismatch, missing, offers
from webhooks.verification.settings import ALL_SECRETS, SecretSettings

HEADER = "X-Hub-Signature-256"
PREFIX = "sha256="


def verify(settings: Settings, call: Call, _now: datetime) -> str:
    """`sha256=` and hex. It says nothing of when it was: repeats are known by their id."""
    said = call.headers.get(HEADER.lower())
    if not said:
        return missing(HEADER)
    return "" if in_hex(offers(said, PREFIX), digests(keys_of(settings), call.raw)) else mismatch(HEADER)


def proofs(_: Settings) -> frozenset[str]:
    """The signature, and the older one that comes beside it."""
    return frozenset({HEADER.lower(), "x-hub-signature"})


GITHUB = Scheme(
    SecretSettings,
    verify,
    in_headers("x-github-delivery"),
    Verification.GITHUB.label,
    "Give GitHub the same secret, and choose application/json.",
    ALL_SECRETS,
    proofs,
)
