"""Answers that are not taken: whoever reads one byte for byte, or not at all, keeps no thread of ours for long.

The server itself waits for as long as the connection stands. So it is handed an answer in pieces, and the time that it
waits for its reader is counted: when that is more than a reader may take, the connection is cut off.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from socket import SHUT_RDWR, socket
from threading import Lock, Thread
from typing import Any

# A reader may let us wait for so long in all, and longer by what it has taken, at so many bytes a second.
REST_S, LEAST_PER_S = 60.0, 100_000
# So much is handed over at once.
PIECE_BYTES = 64 * 1024
# How often it is looked who is late. Seconds.
TICK_S = 0.25

Environ = dict[str, Any]
Served = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Taken:
    """An answer as its reader takes it. What it takes us to make it does not count."""

    def __init__(self, answer: Iterable[bytes], connection: socket) -> None:
        self._answer, self._connection = answer, connection
        self._waited, self._sent = 0.0, 0
        self.until = 0.0

    def __iter__(self) -> Iterator[bytes]:
        for whole in self._answer:
            for start in range(0, len(whole), PIECE_BYTES):
                piece = whole[start : start + PIECE_BYTES]
                began = self._begin()
                try:
                    yield piece
                finally:
                    WATCH.remove(self)
                self._waited += time.monotonic() - began
                self._sent += len(piece)
        self._begin()  # what the server still says at its end

    def close(self) -> None:
        """Its server does so, whatever became of it."""
        WATCH.remove(self)
        close: Callable[[], None] | None = getattr(self._answer, "close", None)
        if close:
            close()

    def end(self) -> None:
        """Cut it off: whoever waits for its reader is told that this one is gone."""
        with suppress(OSError):
            self._connection.shutdown(SHUT_RDWR)

    def _begin(self) -> float:
        now = time.monotonic()
        self.until = now + REST_S + self._sent / LEAST_PER_S - self._waited
        WATCH.add(self)
        return now


class Watch:
    """Whose reader is waited for, in this process; a thread of its own ends what is late."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: set[Taken] = set()
        self._thread: Thread | None = None

    def add(self, answer: Taken) -> None:
        """Watch it until it is removed."""
        with self._lock:
            self._waiting.add(answer)
            if self._thread is None:  # in each process that serves: none has a thread of the one that it came from
                self._thread = Thread(target=self._look, name="slow readers", daemon=True)
                self._thread.start()

    def remove(self, answer: Taken) -> None:
        """Nobody waits for its reader just now."""
        with self._lock:
            self._waiting.discard(answer)

    def _look(self) -> None:
        while True:
            time.sleep(TICK_S)
            with self._lock:
                for answer in self._waiting:
                    if answer.until <= time.monotonic():
                        answer.end()


WATCH = Watch()


def taken_in_time(application: Served) -> Served:
    """Serve what it serves, and wait for no reader for longer than it may take, where the server gives its socket."""

    def served(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = application(environ, start_response)
        connection = environ.get("gunicorn.socket")
        return answer if connection is None else Taken(answer, connection)

    return served
