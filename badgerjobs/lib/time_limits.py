"""How long a caller waits for the database, kept on our own side of the connection.

The server's own time limit says nothing while the server does not answer at all: a machine that stands still, a disk
that hangs, a pooler with no connection left. Its kernel goes on acknowledging, so that TCP's limits say nothing either.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen

_own = threading.local()


class NoAnswerError(psycopg.OperationalError):
    """The database did not answer in time. The connection is closed: what it was doing may have been done, or not."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give all that this thread asks of the database in here so many seconds together. Decorates functions, too.

    Within another one, the one that ends first holds. Raises NoAnswerError, as Django's OperationalError.
    """
    before = _ends()
    ends = time.monotonic() + seconds
    _own.ends = ends if before is None else min(before, ends)
    try:
        yield
    finally:
        _own.ends = before


def left() -> float | None:
    """How many seconds are left of the time that was given, 0 at the least; None without a limit."""
    ends = _ends()
    return None if ends is None else max(0.0, ends - time.monotonic())


def _ends() -> float | None:
    found: float | None = getattr(_own, "ends", None)
    return found


class LimitedConnection(psycopg.Connection[Any]):
    """A connection that keeps the limits of whoever uses it."""

    def wait(self, gen: PQGen[RV], *args: Any, **kwargs: Any) -> RV:
        """Wait for the server, and no longer than `within` allows."""
        ends = _ends()
        return super().wait(gen if ends is None else self._until(ends, gen), *args, **kwargs)

    def _until(self, ends: float, gen: PQGen[RV]) -> PQGen[RV]:
        """The same conversation, given up when its time is over: psycopg looks up ten times a second."""
        self._look_at_the_clock(ends)
        try:
            wants = next(gen)
            while True:
                ready = yield wants
                if not ready:
                    self._look_at_the_clock(ends)
                wants = gen.send(ready)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]

    def _look_at_the_clock(self, ends: float) -> None:
        if time.monotonic() > ends:
            self.close()
            raise NoAnswerError("the database did not answer in time")
