"""Secrets at rest: encrypted by the installation's keys, and masked wherever people or programs read them back."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

MASK = "********"
NOTHING_STORED = f"{MASK} stands for a value stored before, and there is none. Send the value itself."

_SECRET_NAMES = {"authorization", "proxy-authorization", "cookie", "set-cookie"}
_PUBLIC_NAMES = {"idempotency-key"}
_SECRET_PARTS = ("token", "secret", "password", "passwd", "signature", "credential", "apikey", "auth")
_SECRET_WORDS = {"key", "jwt", "session", "sid", "pwd"}


class CannotDecryptError(Exception):
    """A stored secret was encrypted by a key that is no longer among the installation's."""


class BadKeyError(ValueError):
    """An encryption key is missing or too short to protect anything."""


class NothingStoredError(ValueError):
    """A masked value came in where no stored one exists for it to stand for. `name` is the header's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: {NOTHING_STORED}")
        self.name = name


def encrypt(text: str, keys: Sequence[str]) -> str:
    """Encrypt with the first of the keys, to ASCII text. Raises BadKeyError."""
    return _vault(tuple(keys)).encrypt(text.encode()).decode()


def decrypt(stored: str, keys: Sequence[str]) -> str:
    """Give the text back, with whichever of the keys it was encrypted. Raises CannotDecryptError and BadKeyError."""
    try:
        return _vault(tuple(keys)).decrypt(stored.encode()).decode()
    except InvalidToken:
        raise CannotDecryptError(
            "A stored secret cannot be decrypted: the key it was encrypted with is not in ENCRYPTION_KEYS. "
            "Add the old key after the new one."
        ) from None


def ensure_keys(keys: Sequence[str]) -> None:
    """Raise BadKeyError unless these can be used as keys."""
    _vault(tuple(keys))


def mask(headers: Mapping[str, str]) -> dict[str, str]:
    """Give the headers as they may be shown: the values of those that carry secrets become eight stars."""
    return {name: MASK if is_secret(name) else value for name, value in headers.items()}


def unmask(new: Mapping[str, str], old: Mapping[str, str]) -> dict[str, str]:
    """Give what to store when `new` comes from somebody who was shown `mask(old)`. Raises NothingStoredError."""
    stored = {name.lower(): value for name, value in old.items()}
    return {name: _kept(name, value, stored) for name, value in new.items()}


def is_secret(name: str) -> bool:
    """Tell whether a header of this name usually carries a secret; in any case."""
    name = name.lower()
    if name in _PUBLIC_NAMES:
        return False
    words = set(re.split(r"[^a-z0-9]+", name))
    return name in _SECRET_NAMES or bool(words & _SECRET_WORDS) or any(part in name for part in _SECRET_PARTS)


def _kept(name: str, value: str, stored: Mapping[str, str]) -> str:
    if value != MASK or not is_secret(name):
        return value
    if name.lower() not in stored:
        raise NothingStoredError(name)
    return stored[name.lower()]


@lru_cache(maxsize=16)
def _vault(keys: tuple[str, ...]) -> MultiFernet:
    if not keys or any(len(key) < 32 for key in keys):
        raise BadKeyError("ENCRYPTION_KEYS: needs at least one key, and each at least 32 characters long.")
    return MultiFernet([Fernet(_fernet_key(key)) for key in keys])


def _fernet_key(key: str) -> bytes:
    # Hashed, so that any long random text will do as a key: Fernet alone insists on its own base64 form.
    return base64.urlsafe_b64encode(hashlib.sha256(b"badgerjobs.vault:" + key.encode()).digest())
