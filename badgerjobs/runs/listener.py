"""Hears of what is due sooner than beat knew: a thread with a connection of its own, on which nothing waits but it."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
from django.conf import settings
from django.db import Error, connection

from badgerjobs.lib.time_limits import within
from badgerjobs.runs import dispatch

logger = logging.getLogger(__name__)

# How long it may take to begin to listen, and to say that one still does.
ANSWER_S = 5.0
# A connection that died without a word is silent like a good one: it is asked now and then.
ASKED_EVERY_S = 10.0
# After a connection that broke, the next one is tried so much later. Meanwhile beat looks each second.
AGAIN_S = 2.0
# How soon it notices that it should end.
LOOKS_UP_S = 0.5


class Listener:
    """Listens from the first `wait` on. Whatever becomes of its connection, a wait lasts no longer than it should."""

    def __init__(self) -> None:
        self.is_listening = threading.Event()
        self._connect = way_past_poolers()
        self._woken = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def wait(self, seconds: float) -> None:
        """Return when something is due sooner than was known, or after so many seconds."""
        if self._thread is None and self._connect:
            self._thread = threading.Thread(target=self._listen, args=[self._connect], name="listener", daemon=True)
            self._thread.start()
        self._woken.wait(seconds)
        self._woken.clear()

    def close(self) -> None:
        """Listen no more. Returns when the thread has noticed."""
        self._ended.set()
        if self._thread:
            self._thread.join()

    def _listen(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        while not self._ended.is_set():
            try:
                with closing(connect()) as own:
                    self._hear(own)
            except (psycopg.Error, Error) as error:
                self.is_listening.clear()
                logger.warning("news of what is due cannot be heard, so beat looks each second: %s", error)
                self._ended.wait(AGAIN_S)

    def _hear(self, own: psycopg.Connection[Any]) -> None:
        own.autocommit = True
        while not self._ended.is_set():
            with within(ANSWER_S):
                own.execute(f"LISTEN {dispatch.CHANNEL}")  # once more says nothing new, and must be answered
            self.is_listening.set()
            asked_again = time.monotonic() + ASKED_EVERY_S
            while not self._ended.is_set() and time.monotonic() < asked_again:
                for _ in own.notifies(timeout=LOOKS_UP_S, stop_after=1):
                    self._woken.set()


def way_past_poolers() -> Callable[[], psycopg.Connection[Any]] | None:
    """How to make a connection that is told of news; None where all of them go through a pooler."""
    direct: Any = connection.copy()
    if settings.DATABASE_DIRECT:
        direct.settings_dict.update(settings.DATABASE_DIRECT)
    elif direct.is_pooled:
        return None
    return lambda: direct.get_new_connection(direct.get_connection_params())
