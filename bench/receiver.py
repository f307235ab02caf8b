"""The server that jobs call, in a process of its own: says 200 and 100 bytes, and remembers when each call came.

As little work as can be, so that the figures are the service's. It reads requests with a Content-Length or without a
body, over connections that stay open. An argument says after how many seconds it answers (0). `GET /arrivals` gives
{webhook-id: [Unix times]}, and forgets them.
"""

import asyncio
import json
import re
import sys
import time
from collections import defaultdict

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n" + b"a" * 100
WEBHOOK_ID = re.compile(rb"^webhook-id: *(\S+)", re.IGNORECASE | re.MULTILINE)
LENGTH = re.compile(rb"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)

# Of this process: who imports it (a test) has words of its own.
AFTER_S = float(sys.argv[1]) if __name__ == "__main__" and len(sys.argv) > 1 else 0.0

arrivals: defaultdict[str, list[float]] = defaultdict(list)


class Connection(asyncio.Protocol):
    """One kept connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport
        self._unread = b""

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        now = time.time()
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            head = self._unread[:end]
            length = LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._unread) < whole:
                return
            self._unread = self._unread[whole:]
            if AFTER_S:
                asyncio.get_running_loop().call_later(AFTER_S, self._transport.write, answer(head, now))
            else:
                self._transport.write(answer(head, now))


def answer(head: bytes, now: float) -> bytes:
    """Note the call, and give the answer's bytes."""
    if head.startswith(b"GET /arrivals "):
        body = json.dumps(arrivals).encode()
        arrivals.clear()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    if found := WEBHOOK_ID.search(head):
        arrivals[found[1].decode()].append(now)
    return ANSWER


async def serve() -> None:
    """Listen on a free port of loopback, say which on standard output, and go on until killed."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
