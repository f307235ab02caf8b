"""How each fault is struck and healed, and the storm: all of a plan, at their times."""

import heapq
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

import redis
from django.conf import settings

from bench.report import say
from chaos.plan import Strike
from chaos.stack import Stack

# Until a process that was started is at work, and one that met a fault has noticed that it is over: seconds.
RECOVERY_S = 4.0

Deed = Callable[[Stack, Strike], None]


@dataclass(frozen=True, slots=True)
class Felt:
    """A fault as it was, in Unix seconds: until everything had its time to recover."""

    fault: str
    since: float
    until: float


def _kill(stack: Stack, strike: Strike) -> None:
    stack.kill(strike.target)


def _start(stack: Stack, strike: Strike) -> None:
    stack.start(strike.target)


def _freeze(stack: Stack, strike: Strike) -> None:
    stack.freeze(strike.target)


def _thaw(stack: Stack, strike: Strike) -> None:
    stack.thaw(strike.target)


def _skew(stack: Stack, strike: Strike) -> None:
    stack.kill(strike.target)
    stack.start_skewed(strike.target, strike.amount)


def _unskew(stack: Stack, strike: Strike) -> None:
    stack.kill(strike.target)
    stack.start(strike.target)


def _hang(stack: Stack, strike: Strike) -> None:
    stack.signal(strike.target, signal.SIGUSR1)


def _go_on(stack: Stack, strike: Strike) -> None:
    stack.signal(strike.target, signal.SIGUSR2)


def _end(stack: Stack, strike: Strike) -> None:
    stack.end(strike.target)


def _flush(_: Stack, __: Strike) -> None:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
        client.flushall()


def _nothing(_: Stack, __: Strike) -> None:
    pass


FAULTS: dict[str, tuple[Deed, Deed]] = {
    "kill_worker": (_kill, _start),
    "kill_beat": (_kill, _start),
    "kill_web": (_kill, _start),
    "flush_broker": (_flush, _nothing),
    "freeze_worker": (_freeze, _thaw),
    "freeze_beat": (_freeze, _thaw),
    "skew_clock": (_skew, _unskew),
    "refuse_calls": (_kill, _start),
    "hang_calls": (_hang, _go_on),
    "kill_database": (_kill, _start),
    "restart_database": (_end, _start),
    "kill_broker": (_kill, _start),
}


@dataclass(order=True)
class _Due:
    at: float
    order: int
    strike: Strike
    is_healing: bool


class Storm:
    """Strikes and heals by the plan. `felt` grows with each that is over."""

    def __init__(self, stack: Stack, strikes: list[Strike]) -> None:
        self.felt: list[Felt] = []
        self._stack = stack
        self._order = count()
        self._due = [_Due(strike.at, next(self._order), strike, is_healing=False) for strike in strikes]
        heapq.heapify(self._due)
        self._since: dict[Strike, float] = {}

    def rage(self, seconds: float) -> None:
        """Go through the whole plan, which takes so many seconds."""
        began = time.monotonic()
        while self._due:
            due = heapq.heappop(self._due)
            time.sleep(max(0.0, began + due.at - time.monotonic()))
            self._heal(due.strike) if due.is_healing else self._strike(due.strike, time.monotonic() - began)
        time.sleep(max(0.0, began + seconds - time.monotonic()))

    def _strike(self, strike: Strike, at: float) -> None:
        say(f"{at:6.1f} s  {_told(strike)}")
        self._since[strike] = time.time()
        # A broker that is away has nothing that could be emptied.
        with suppress(redis.RedisError):
            FAULTS[strike.fault][0](self._stack, strike)
        heapq.heappush(self._due, _Due(at + strike.lasts, next(self._order), strike, is_healing=True))

    def _heal(self, strike: Strike) -> None:
        FAULTS[strike.fault][1](self._stack, strike)
        self.felt.append(Felt(strike.fault, self._since.pop(strike), time.time() + RECOVERY_S))


def _told(strike: Strike) -> str:
    how_far = f", {strike.amount:+.1f} s" if strike.amount else ""
    how_long = f", for {strike.lasts:.1f} s" if strike.lasts else ""
    return f"{strike.fault.replace('_', ' ')}: {strike.target}{how_far}{how_long}"
