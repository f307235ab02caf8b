"""How long to wait before the next attempt of a run that failed."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

JITTER = 0.1


class Backoff(Protocol):
    """A retry policy."""

    def delay(self, attempt: int) -> timedelta | None:
        """Give the wait after `attempt` attempts (from 1), before jitter; None when there are no more retries."""


@dataclass(frozen=True, slots=True)
class Incremental:
    """Step times attempt: 10 s, 20 s, 30 s by default. `retries` are the attempts after the first; step in seconds."""

    step_s: float = 10
    retries: int = 3

    def delay(self, attempt: int) -> timedelta | None:
        if attempt > self.retries:
            return None
        return timedelta(seconds=self.step_s * attempt)


def with_jitter(delay: timedelta, fraction: float = JITTER, random: Callable[[], float] = random.random) -> timedelta:
    """Lengthen the delay by up to `fraction` of itself, and never shorten it, so that failures do not return as one.

    `random` draws from [0, 1).
    """
    return delay * (1 + fraction * random())
