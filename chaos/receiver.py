"""The server that the jobs call, in a process of its own that may be killed: `python -m chaos.receiver PORT HISTORY`.

The address says how it answers: `/TENANT/TAG?after=2.5&fails=40` answers after 2.5 s, and 40 calls of a hundred with a
500; with `rows=40` it answers so many JSON lines, numbered from 0. It writes down each call when it has come and before
it answers. SIGUSR1 makes it hang: it takes calls, and answers none until SIGUSR2. It sees at once when a caller is
gone, so that what a killed worker had open ends with that.
"""

import asyncio
import re
import signal
import sys
import time
import zlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from chaos.history import CUT, Pen

WEBHOOK_ID = re.compile(rb"^webhook-id: *(\S+)", re.IGNORECASE | re.MULTILINE)
LENGTH = re.compile(rb"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)


class Door:
    """What all connections share: the pen, and whether it hangs."""

    def __init__(self, pen: Pen) -> None:
        self.pen = pen
        self.is_hanging = False
        self.kept: list[Connection] = []
        self.count = 0

    def hang(self) -> None:
        self.is_hanging = True

    def go_on(self) -> None:
        """Answer what was kept waiting."""
        self.is_hanging = False
        kept, self.kept = self.kept, []
        for connection in kept:
            connection.answer()


class Connection(asyncio.Protocol):
    """One connection, which has one call at a time."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._unread = b""
        self._call = ""
        self._status = 200
        self._body = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        """Whoever called is gone: an open call ends with that."""
        if self._timer:
            self._timer.cancel()
        if self._call:
            self._door.pen.end(self._call, status=CUT, at=time.time())
            self._call = ""

    def data_received(self, data: bytes) -> None:
        """Begin a call when the whole request is there."""
        self._unread += data
        end = self._unread.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._unread[:end]
        length = LENGTH.search(head)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self._unread) >= whole:
            self._unread = self._unread[whole:]
            self._begin(head)

    def _begin(self, head: bytes) -> None:
        url = urlsplit(head.split(b" ", 2)[1].decode())
        asked = {name: float(values[0]) for name, values in parse_qs(url.query).items()}
        found = WEBHOOK_ID.search(head)
        run = found[1].decode() if found else ""
        self._door.count += 1
        self._status = 500 if fails(run, self._door.count, asked.get("fails", 0)) else 200
        self._body = rows(int(asked["rows"])) if "rows" in asked else b"ok"
        self._call = self._door.pen.begin(run=run, job=url.path.lstrip("/"), at=time.time())
        self._timer = asyncio.get_running_loop().call_later(asked.get("after", 0), self.answer)

    def answer(self) -> None:
        """Answer the open call, unless the receiver hangs or the caller is gone."""
        if not self._call:
            return
        if self._door.is_hanging:
            self._door.kept.append(self)
            return
        self._door.pen.end(self._call, status=self._status, at=time.time())
        self._call = ""
        head = b"HTTP/1.1 %d Said\r\nContent-Length: %d\r\n\r\n" % (self._status, len(self._body))
        self._transport.write(head + self._body)


def fails(run: str, count: int, percent: float) -> bool:
    """Whether this call is one of those that fail: as good as random, and another for each try."""
    return zlib.crc32(f"{run}:{count}".encode()) % 100 < percent


def rows(count: int) -> bytes:
    """So many of them, as JSON lines."""
    return b"".join(b'{"id": %d}\n' % number for number in range(count))


async def serve(port: int, history: Path) -> None:
    """Listen on loopback until killed."""
    door = Door(Pen(history, time.time()))
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, door.hang)
    loop.add_signal_handler(signal.SIGUSR2, door.go_on)
    server = await loop.create_server(lambda: Connection(door), "127.0.0.1", port, backlog=1024, reuse_address=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
