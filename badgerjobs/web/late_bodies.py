"""Bodies that do not arrive: whoever sends a part of one, or byte for byte, keeps no thread of ours waiting for long.

The server itself waits for as long as the connection stands. So each read is watched: when its time is over, its socket
is shut for reading, and whoever reads it finds its end.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from socket import SHUT_RD, socket
from threading import Lock, Thread
from typing import Any

from django.core.exceptions import BadRequest

# So long the body of a request may take, from when it is read on: 5 MB at some 170 KB a second.
BODY_S = 30.0
# How often it is looked who is late. Seconds.
TICK_S = 0.25

Environ = dict[str, Any]
Served = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class LateBodyError(BadRequest):
    """The body did not arrive in its time, and is not read any more."""


class Arriving:
    """The body of a request as its server reads it from this socket, within BODY_S seconds. Raises LateBodyError."""

    def __init__(self, body: Any, connection: socket) -> None:
        self._body, self._connection = body, connection
        self.until: float | None = None
        self._is_ended = False

    def read(self, *size: int) -> bytes:
        """As any file does."""
        return self._in_time(self._body.read, *size)

    def readline(self, *size: int) -> bytes:
        """As any file does."""
        return self._in_time(self._body.readline, *size)

    def hurry(self, within_s: float) -> None:
        """Let the rest arrive within so many seconds from now."""
        self.until = min(self.until or time.monotonic() + BODY_S, time.monotonic() + within_s)

    def allow(self, within_s: float) -> None:
        """Let it arrive within so many seconds from now: it is long, and who sends it is known."""
        self.until = time.monotonic() + within_s

    def end(self) -> None:
        """Read no more of it, and nothing else from its connection: where another request began is not known."""
        self._is_ended = self._body.failed = True  # so the server calls it
        with suppress(OSError):
            self._connection.shutdown(SHUT_RD)

    def _in_time(self, read: Callable[..., bytes], *size: int) -> bytes:
        self.until = self.until or time.monotonic() + BODY_S
        WATCH.add(self)
        try:
            piece = read(*size)
        except Exception:  # the server has many words for what ends too early
            if not self._is_ended:
                raise
        finally:
            WATCH.remove(self)
        if self._is_ended:
            raise LateBodyError("The body did not arrive in time.")
        return piece


class Watch:
    """Who waits for a body, in this process; a thread of its own ends what is late."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: set[Arriving] = set()
        self._thread: Thread | None = None

    def add(self, body: Arriving) -> None:
        """Watch it until it is removed."""
        with self._lock:
            self._waiting.add(body)
            if self._thread is None:  # in each process that serves: none has a thread of the one that it came from
                self._thread = Thread(target=self._look, name="late bodies", daemon=True)
                self._thread.start()

    def remove(self, body: Arriving) -> None:
        """It is read."""
        with self._lock:
            self._waiting.discard(body)

    def _look(self) -> None:
        while True:
            time.sleep(TICK_S)
            with self._lock:
                for body in self._waiting:
                    if body.until is not None and body.until <= time.monotonic():
                        body.end()


WATCH = Watch()


def in_time(application: Served) -> Served:
    """Serve what it serves, and wait for no body for longer than BODY_S, where the server gives its socket."""

    def served(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        connection = environ.get("gunicorn.socket")
        has_body = environ.get("CONTENT_LENGTH", "") not in {"", "0"} or "HTTP_TRANSFER_ENCODING" in environ
        if connection is not None and has_body:
            environ["wsgi.input"] = Arriving(environ["wsgi.input"], connection)
        return application(environ, start_response)

    return served
