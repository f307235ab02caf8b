"""Asks a web server for many things at once, over connections that are kept, and says how long each took."""

import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle

_LENGTH = b"Content-Length: "


@dataclass
class Line:
    """A connection on which one request at a time is under way; `since` is when it was due."""

    socket: socket.socket
    since: float = 0.0
    got: bytearray = field(default_factory=bytearray)

    def send(self, request: bytes, since: float) -> None:
        self.since = since
        self.socket.sendall(request)

    def is_answered(self) -> bool:
        """Take what has come, and say whether it is the whole answer. Raises RuntimeError unless it is a success."""
        came = self.socket.recv(262_144)
        if not came:
            raise RuntimeError("The server has closed a connection.")
        self.got += came
        end = self.got.find(b"\r\n\r\n")
        if end < 0:
            return False
        if not self.got.startswith((b"HTTP/1.1 200", b"HTTP/1.1 202")):
            raise RuntimeError(self.got.decode(errors="replace")[:2000])
        at = self.got.index(_LENGTH) + len(_LENGTH)
        if len(self.got) < end + 4 + int(self.got[at : self.got.index(b"\r", at)]):
            return False
        self.got.clear()
        return True


@contextmanager
def _lines(port: int, count: int) -> Iterator[tuple[selectors.BaseSelector, list[Line]]]:
    with selectors.DefaultSelector() as selector:
        lines = [Line(socket.create_connection(("127.0.0.1", port))) for _ in range(count)]
        try:
            for line in lines:
                line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(line.socket, selectors.EVENT_READ, line)
            yield selector, lines
        finally:
            for line in lines:
                line.socket.close()


def fast(port: int, requests: Sequence[bytes], *, lines: int, seconds: float) -> tuple[int, float]:
    """How many were answered in how many seconds while each of so many connections asks again as soon as it may.

    The answers to the last of each are not waited for.
    """
    ahead, answered = cycle(requests), 0
    with _lines(port, lines) as (selector, all_lines):
        start = time.perf_counter()
        for line in all_lines:
            line.send(next(ahead), start)
        while (now := time.perf_counter()) < start + seconds:
            for key, _ in selector.select(1):
                if key.data.is_answered():
                    answered += 1
                    key.data.send(next(ahead), now)
    return answered, now - start


def paced(port: int, requests: Sequence[bytes], *, lines: int, rate: float, seconds: float) -> list[float]:
    """How long each answer took, in seconds from when its request was due, at so many requests a second.

    One that cannot be sent because all connections are busy counts from its due time all the same.
    """
    ahead, took = cycle(requests), []
    with _lines(port, lines) as (selector, all_lines):
        start = time.perf_counter()
        idle = list(all_lines)
        due = deque(start + number / rate for number in range(int(rate * seconds)))
        under_way = 0
        while due or under_way:
            while due and idle and due[0] <= time.perf_counter():
                idle.pop().send(next(ahead), due.popleft())
                under_way += 1
            pause = max(0.0, due[0] - time.perf_counter()) if due and idle else 1.0
            for key, _ in selector.select(pause):
                if key.data.is_answered():
                    took.append(time.perf_counter() - key.data.since)
                    idle.append(key.data)
                    under_way -= 1
    return took
