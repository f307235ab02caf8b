"""The database beside the code: in a thread and by a connection of its own.

So what is written at once is there at once, though the code be in the middle of a transaction; and code that is a
coroutine, which Django lets ask nothing, may ask all the same.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Event
from typing import TypeVar

from django.db import Error, connection

from badgerjobs.lib.time_limits import within
from badgerjobs.runs.clock import Clock
from badgerjobs.runs.record import may_pass

logger = logging.getLogger(__name__)

# What one statement may take, and for how long it is tried again while the database is away.
ANSWER_S, INSIST_S, PAUSE_S = 20.0, 60.0, 0.5
# How long our own clock is believed.
CLOCK_S = 60.0

T = TypeVar("T")


class Beside:
    """One thread with a connection of its own, and a clock. A process has one for all of its works."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._clock = Clock()
        self._clock_read_at: float | None = None

    def ask(self, statement: Callable[[], T]) -> T:
        """Wait for a function that uses the database. Raises what it raises."""
        return self._thread.submit(_mending, statement).result()

    def insist(self, statement: Callable[[], T], *, until: Event) -> T:
        """The same, once more and once more while the database is away; not for ever, and not after the event."""
        ends = time.monotonic() + INSIST_S
        while True:
            try:
                return self.ask(statement)
            except Error as error:
                if not may_pass(error) or time.monotonic() > ends or until.wait(PAUSE_S):
                    raise

    def now(self) -> datetime:
        """The database's clock, read anew each minute."""
        if self._clock_read_at is None or time.monotonic() - self._clock_read_at > CLOCK_S:
            try:
                self.ask(self._clock.read)
            except Error:
                logger.warning("the database's clock cannot be read; our own is used", exc_info=True)
            self._clock_read_at = time.monotonic()
        return self._clock.now()


def _mending(statement: Callable[[], T]) -> T:
    try:
        with within(ANSWER_S):
            return statement()
    except Error:
        connection.close_if_unusable_or_obsolete()
        raise
