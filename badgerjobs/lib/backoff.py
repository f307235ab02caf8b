"""When the next attempt of a run that failed is made, if one is."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from badgerjobs.lib import words

JITTER = 0.1
# No wait of a policy is longer, however it grows: the last of `repeater` is nearly four days.
LONGEST = timedelta(days=7)
# An endpoint that wants to be left alone for longer is not waited for.
LONGEST_ASKED = timedelta(days=1)

LIST = "list"
# The wait before the retry with this number, from 1, in steps.
GROWTH: dict[str, Callable[[int], int]] = {
    "incremental": lambda retry: retry,
    "exponential": lambda retry: 2 ** (retry - 1),
    "polynomial": lambda retry: retry**4,
}


@dataclass(frozen=True, slots=True)
class Retries:
    """A retry policy: by default 10 s, 20 s and 30 s after the failure before. Seconds in all of it.

    `retries` are the attempts after the first. `backoff` is one of GROWTH, or LIST: the waits are `delays` then. No
    attempt begins later than `for_s` after the first one began; None: there is no such end.
    """

    backoff: str = "incremental"
    retries: int = 3
    step_s: float = 10
    delays: tuple[float, ...] = ()
    for_s: float | None = None

    def delay(self, attempt: int) -> timedelta | None:
        """Give the wait after `attempt` attempts (from 1), before jitter; None when there are no more retries."""
        if attempt > self.retries or (self.backoff == LIST and attempt > len(self.delays)):
            return None
        return timedelta(seconds=min(self._seconds(attempt), LONGEST.total_seconds()))

    def delays_of_all(self) -> list[timedelta]:
        """Give the waits before each of its retries, before jitter."""
        waits = (self.delay(attempt) for attempt in range(1, self.retries + 1))
        return [wait for wait in waits if wait is not None]

    def _seconds(self, attempt: int) -> float:
        return self.delays[attempt - 1] if self.backoff == LIST else self.step_s * GROWTH[self.backoff](attempt)


REPEATER = Retries("polynomial", retries=24, step_s=1)


@dataclass(frozen=True, slots=True)
class Next:
    """When the next attempt is made; None: never, and `why` is a sentence where the number of retries is not why."""

    at: datetime | None
    why: str = ""


def next_attempt(
    policy: Retries, attempt: int, *, began: datetime, failed: datetime, asked: timedelta | None = None
) -> Next:
    """Decide it after `attempt` attempts (from 1), of which the first began at `began` and this one ended at `failed`.

    `asked` is how long the endpoint wants to be left alone: the wait is not shorter.
    """
    delay = policy.delay(attempt)
    if delay is None:
        return Next(None)
    if asked and asked > LONGEST_ASKED:
        return Next(None, f"{_asks(asked)} No run waits longer than {_said(LONGEST_ASKED)} for that.")
    wait = max(delay, asked or delay)
    if policy.for_s is None:
        return Next(failed + with_jitter(wait))
    end = began + timedelta(seconds=policy.for_s)
    if failed + wait > end:
        why = f"{_asks(asked)} " if asked and asked > delay else ""
        return Next(None, f"{why}Its retries end {_said(end - began)} after its first attempt began.")
    return Next(min(failed + with_jitter(wait), end))


def _asks(asked: timedelta) -> str:
    return f"The endpoint asks to be left alone for {_said(asked)}."


def _said(length: timedelta) -> str:
    return words.duration(length / timedelta(milliseconds=1))


def with_jitter(delay: timedelta, fraction: float = JITTER, random: Callable[[], float] = random.random) -> timedelta:
    """Lengthen the delay by up to `fraction` of itself, and never shorten it, so that failures do not return as one.

    `random` draws from [0, 1).
    """
    return delay * (1 + fraction * random())
