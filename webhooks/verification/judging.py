"""Holding what a call offers against what it must be: always against each secret, in constant time."""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any

from badgerjobs.lib.signatures import TOLERANCE_S

# So many signatures of one call are looked at: providers send two while a secret is being changed.
MOST_OFFERED = 10
# Of a moment in seconds since 1970, until the year 33658.
MOST_DIGITS = 12


def keys_of(settings: Mapping[str, Any]) -> list[bytes]:
    """The secrets that verify; none where none is set, and then nothing matches."""
    return [settings[name].encode() for name in ("secret", "previous_secret") if settings.get(name)]


def digests(keys: Iterable[bytes], *parts: bytes, algorithm: str = "sha256") -> Iterator[bytes]:
    """The HMAC of the parts, one after the other, by each key."""
    for key in keys:
        made = hmac.new(key, digestmod=algorithm)
        for part in parts:
            made.update(part)
        yield made.digest()


def offers(said: str, prefix: str = "") -> list[str]:
    """The signatures in a header that has one, or several with commas between them: those with the prefix."""
    parts = (part.strip() for part in said.split(","))
    return [part.removeprefix(prefix) for part in parts if part.startswith(prefix)]


def readings(said: str) -> list[str]:
    """A header as it came, and as UTF-8: servers read each of its bytes as one character."""
    with suppress(UnicodeError):
        return [said, said.encode("latin-1").decode()]
    return [said]


def is_among(offered: Iterable[str], expected: Iterable[str]) -> bool:
    """Whether one of the first ten texts is one of those expected.

    Each is compared with each, and by its digest: how long it takes tells neither what was right nor how long it is.
    """
    theirs, ours = [_digest(one) for one in islice(offered, MOST_OFFERED)], [_digest(one) for one in expected]
    return bool(sum(hmac.compare_digest(one, other) for one in ours for other in theirs))


def in_hex(offered: Iterable[str], expected: Iterable[bytes]) -> bool:
    """The same for digests in hex, whose letters' case means nothing."""
    return is_among((one.lower() for one in offered), (one.hex() for one in expected))


def missing(header: str) -> str:
    """Why a call without this header is refused."""
    return f"The header {header} is missing."


def not_kept(header: str) -> str:
    """Why a call cannot be verified once more: only stars are left of what lets its bearer in."""
    return f"{header} is not kept with what came: it cannot be verified once more."


def mismatch(header: str) -> str:
    """Why one whose signature is another is refused: nobody knows which of the two it is."""
    return f"{header} does not match: it was made with another secret, or for another body."


def out_of_time(what: str, timestamp: str, settings: Mapping[str, Any], now: datetime) -> str:
    """Why a timestamp, in seconds since 1970, is not believed; empty where it is. `what` it is called."""
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > MOST_DIGITS:
        return f"{what} is not a number of seconds."
    tolerance_s = settings.get("tolerance_s", TOLERANCE_S)
    seconds = now.timestamp() - int(timestamp)
    if abs(seconds) <= tolerance_s:
        return ""
    return f"{what} is more than {tolerance_s} seconds {'old' if seconds > 0 else 'in the future'}."


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
