"""Standard Webhooks: signatures by which a receiver knows who sent a request, and that nobody changed it."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
VERSION = "v1"
TOLERANCE_S = 300


class BadSignatureError(ValueError):
    """A signed request is not to be trusted. The message says why, in words that may be shown to its sender."""


def make_secret() -> str:
    """Make a signing secret of 256 bits: `whsec_` and its bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(keys: str | Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """Make the value of `webhook-signature`: `v1,` and base64 for each secret, separated by spaces.

    `timestamp` is in seconds. While a secret is being changed, sign with both. Raises ValueError for a secret that is
    not `whsec_` and base64, and for an id with a dot: `id.timestamp.body` is signed, and must read in one way only.
    """
    if "." in message_id:
        raise ValueError(f"The id {message_id!r} contains a dot.")
    signed = f"{message_id}.{timestamp}.".encode() + body
    each = [keys] if isinstance(keys, str) else keys
    return " ".join(f"{VERSION},{_digest(key, signed)}" for key in each)


def headers(keys: str | Sequence[str], message_id: str, timestamp: int, body: bytes) -> list[tuple[str, str]]:
    """Make the three headers of a signed call, with their names. Raises as `sign` does."""
    return [
        ("webhook-id", message_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", sign(keys, message_id, timestamp, body)),
    ]


def valid_keys(key: str, previous: str, previous_until: datetime | None, at: int) -> list[str]:
    """Give what signs a call made at this second since 1970: the key, and while it is being rotated the one before."""
    return [key, previous] if previous_until and at < previous_until.timestamp() else [key]


def verify(  # noqa: PLR0913  the three headers, and what they are held against
    keys: str | Sequence[str],
    message_id: str,
    timestamp: str,
    signature: str,
    body: bytes,
    *,
    now: float,
    tolerance_s: int = TOLERANCE_S,
) -> None:
    """Raise `BadSignatureError` unless one of the signatures was made with one of the secrets, in time.

    `message_id`, `timestamp` and `signature` are the request's headers as they came; `now` is in seconds, and so is
    how far from it the timestamp may be.
    """
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise BadSignatureError("webhook-timestamp is not a number of seconds.")
    if abs(now - int(timestamp)) > tolerance_s:
        raise BadSignatureError(f"webhook-timestamp is more than {tolerance_s} seconds away from now.")
    if not message_id or "." in message_id:
        raise BadSignatureError("webhook-id is missing or contains a dot.")
    expected = sign(keys, message_id, int(timestamp), body).encode().split()
    offered = signature.encode(errors="replace").split()[:10]
    # Each is compared with each, whatever was found before: how long it takes tells nothing.
    if not sum(hmac.compare_digest(one, other) for one in expected for other in offered):
        raise BadSignatureError("webhook-signature does not match.")


def ensure_secret(key: str) -> None:
    """Raise ValueError for a secret that is not `whsec_` and base64, or the base64 alone."""
    _bytes(key)


def _digest(key: str, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(_bytes(key), signed, hashlib.sha256)).decode()


def _bytes(key: str) -> bytes:
    """Read a secret's bytes. The prefix may be missing, as in other makers' panels."""
    try:
        found = base64.b64decode(key.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not found:
        raise ValueError("A signing secret is whsec_ followed by base64.")
    return found
