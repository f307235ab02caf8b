"""Bearer secrets: made once and shown once; what is stored is a digest, and a prefix to recognise the token by."""

import hashlib
import hmac
import re
import secrets
import string
from typing import NamedTuple

_FORM = re.compile(r"bj_([a-z0-9]{8})_[A-Za-z0-9_-]{43}")
_ALPHABET = string.ascii_lowercase + string.digits


class NewToken(NamedTuple):
    secret: str
    prefix: str
    digest: str


def make() -> NewToken:
    """Make a secret of 256 random bits, `bj_PREFIX_…`, with its prefix (8 characters) and digest (64 hex digits)."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    secret = f"bj_{prefix}_{secrets.token_urlsafe(32)}"
    return NewToken(secret, prefix, digest_of(secret))


def digest_of(secret: str) -> str:
    """Give its SHA-256 in hex. A secret of 256 random bits needs neither salt nor a slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def prefix_of(secret: str) -> str | None:
    """Find the prefix by which the token is looked up; None when this cannot be one of our secrets."""
    match = _FORM.fullmatch(secret)
    return match[1] if match else None


def matches(secret: str, digest: str) -> bool:
    """Tell whether the digest is this secret's, in a time that does not tell how much of it was right."""
    return hmac.compare_digest(digest_of(secret), digest)
