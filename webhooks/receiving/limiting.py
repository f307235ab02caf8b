"""How much may come: calls in a second and bytes in a minute."""

from collections.abc import Sequence

from django.conf import settings

from badgerjobs.web.limits import Limit, count, first_passed
from webhooks.receiving.addressed import Addressed
from webhooks.receiving.calls import MOST_UNHEARD

# Of all hooks of an application together: what comes is kept as long as its runs are.
BYTES_PER_MINUTE = 60_000_000
# Wrong addresses that one address may try in a minute. Guessing 256 bits is hopeless; hammering the database is not.
WRONG_TRIES_PER_MINUTE = 60


class TooMuchError(Exception):
    """There is too much of something: a sentence says of what. It may be tried again in `wait_s` seconds."""

    def __init__(self, said: str, wait_s: int) -> None:
        super().__init__(said)
        self.wait_s = wait_s


def count_call(hook: Addressed, length: int | None) -> None:
    """Count a call that says it has so many bytes, in one trip. Raises TooMuchError.

    The bytes of one that says nothing, None, are counted when they are there, if there is room for any. Of one that is
    too long those are counted that are read to be thrown away.
    """
    most = settings.RATE_LIMIT_PER_SECOND
    limits = [Limit(f"hooks:{hook.application_id}", min(hook.requests_per_second or most, most))]
    if hook.rate:
        limits.append(Limit(f"hook:{hook.id}", hook.rate))
    if length != 0:
        limits.append(_bytes(hook, min(length or 0, MOST_UNHEARD)))
    _ensure(limits)


def count_bytes(hook: Addressed, length: int) -> None:
    """Count the bytes of a call that did not say how many they are. Raises TooMuchError."""
    _ensure([_bytes(hook, length)])


def _bytes(hook: Addressed, length: int) -> Limit:
    return Limit(f"hook-bytes:{hook.application_id}", BYTES_PER_MINUTE, 60, length)


def _ensure(limits: Sequence[Limit]) -> None:
    passed = first_passed(limits)
    if passed is None:
        return
    if passed.window_s == 1:
        raise TooMuchError("Too many calls within a second: send it again.", 1)
    raise TooMuchError("Too many bytes came by webhooks within a minute: send it again.", 60)


def count_wrong_try(address: str) -> None:
    """Count an address of no hook that was tried from here. Raises TooMuchError."""
    if count(f"wrong-hooks:{address}", window_s=60) > WRONG_TRIES_PER_MINUTE:
        raise TooMuchError("Too many wrong addresses were tried from here.", 60)
