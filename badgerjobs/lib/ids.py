"""Ids: UUIDs of version 7 (RFC 9562), which sort by the time they were made; and slugs, which stand in addresses."""

import hashlib
import os
import secrets
import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

_VERSION_AND_VARIANT = 0x7 << 76 | 0b10 << 62
_COUNTER_LOW_BITS = 30
_SLUG_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_lock = threading.Lock()
# Millisecond and counter of the last id: of this process's own clock, and of the one that all share.
_last_own = (0, 0)
_last_shared = (0, 0)


def uuid7() -> UUID:
    """Make an id: 48 bits of milliseconds, a 42-bit counter, 32 random bits. Each is greater than the last."""
    global _last_own  # noqa: PLW0603 - the order of ids is a property of the process
    tail = int.from_bytes(os.urandom(4))
    now = time.time_ns() // 1_000_000
    with _lock:
        ms, counter = _after(now, _last_own, _last_shared)
        _last_own = ms, counter + 1
    return _compose(ms, counter + 1, tail)


def uuid7s(moment: datetime, count: int) -> list[UUID]:
    """Make so many ids as of a moment that was read from the clock which all share; `moment` is aware.

    Each is greater than the last one that this process made so: the rows of a tick are in the order of their making.
    """
    global _last_shared  # noqa: PLW0603 - as above
    with _lock:
        ms, counter = _after((moment - _EPOCH) // _MILLISECOND, _last_shared, _last_own)
        _last_shared = ms, counter + count
    return [_compose(ms, counter + nth, int.from_bytes(os.urandom(4))) for nth in range(1, count + 1)]


def _after(ms: int, last: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """Millisecond and counter to count on from. In one millisecond both kinds count together, so order is kept.

    When the clock was set back, that of the last id stands.
    """
    ms = max(ms, last[0])
    taken = [counter for its_ms, counter in (last, other) if its_ms == ms]
    # The upper half of the counter is left free, so that it never overflows within one millisecond.
    return ms, max(taken) if taken else int.from_bytes(os.urandom(5))


def derived(other: UUID, what: str) -> UUID:
    """Another id of the same millisecond: of the same id and for the same thing always the same."""
    digest = int.from_bytes(hashlib.blake2b(other.bytes + what.encode(), digest_size=10).digest())
    return UUID(int=other.int >> 80 << 80 | digest & ~(0xF << 76 | 0b11 << 62) | _VERSION_AND_VARIANT)


def uuid7_floor(moment: datetime) -> UUID:
    """Give the smallest id that a millisecond can have; `moment` is aware. `id < floor` is older than it."""
    return _compose(max(0, (moment - _EPOCH) // _MILLISECOND), 0, 0)


def slug() -> str:
    """Make a name for an address, of 12 letters and digits: 62 random bits, so that nobody guesses or counts them."""
    return "".join(secrets.choice(_SLUG_LETTERS) for _ in range(12))


def _compose(ms: int, counter: int, tail: int) -> UUID:
    high, low = divmod(counter, 1 << _COUNTER_LOW_BITS)
    return UUID(int=ms << 80 | high << 64 | low << 32 | tail | _VERSION_AND_VARIANT)


def _forget() -> None:
    # A forked child would count on from its parent's number, beside its brothers.
    global _lock, _last_own, _last_shared
    _lock, _last_own, _last_shared = threading.Lock(), (0, 0), (0, 0)


os.register_at_fork(after_in_child=_forget)
