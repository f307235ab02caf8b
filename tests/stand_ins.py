"""Servers on loopback that sources and events speak to: for mail, a door to a Unix socket, and one that speaks AMQP."""

import contextlib
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from amqp.serialization import dumps


class Listener(socketserver.ThreadingTCPServer):
    """A server in threads of its own, on a port of its own. Use it as a context. `opened` counts the connections."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, handler: type[socketserver.BaseRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.port = int(self.server_address[1])
        self.opened = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def verify_request(self, *_: object) -> bool:
        """Whoever comes is let in, and counted."""
        self.opened += 1
        return True

    def handle_error(self, *_: object) -> None:
        """Who hangs up is a part of these tests."""


class MailServer(Listener):
    """Takes mail. `says` replaces its answer to a verb; `context` lets it speak TLS, from the start if `is_tls`."""

    def __init__(self, context: ssl.SSLContext | None = None, *, is_tls: bool = False) -> None:
        super().__init__(_MailSession)
        self.context, self.is_tls = context, is_tls
        self.says: dict[str, str] = {}
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.was_secure: list[bool] = []
        self.hangs_at = ""
        self.released = threading.Event()

    def __exit__(self, *_: object) -> None:
        self.released.set()
        super().__exit__()


class _MailSession(socketserver.BaseRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._is_secure = False
        try:
            self._speak()
        finally:
            self.request.close()

    def _speak(self) -> None:
        if self.server.is_tls:
            self._secure()
        self._lines = self.request.makefile("rb")
        self._to: list[str] = []
        self._say(self.server.says.get("HELLO", "220 ready"))
        while line := self._lines.readline():
            verb = line.decode().split()[0].upper().split(":")[0] if line.strip() else ""
            if verb == self.server.hangs_at:
                self.server.released.wait(20)
                return
            if verb == "RCPT":
                self._to.append(line.decode().partition("<")[2].partition(">")[0])
            said = self.server.says.get(f"RCPT {self._to[-1]}" if verb == "RCPT" else verb) or self._answer(verb)
            self._say(said)
            if verb == "DATA" and said.startswith("354"):
                self._take()
            if verb == "STARTTLS" and said.startswith("220"):
                self._secure()
                self._lines = self.request.makefile("rb")
            if verb == "QUIT":
                return

    def _answer(self, verb: str) -> str:
        more = "250-STARTTLS\r\n" if self.server.context and not self._is_secure else ""
        answers = {
            "EHLO": f"250-hello\r\n{more}250 AUTH PLAIN",
            "AUTH": "235 in",
            "DATA": "354 go on",
            "QUIT": "221 bye",
        }
        return answers.get(verb, "220 go ahead" if verb == "STARTTLS" else "250 ok")

    def _take(self) -> None:
        data = b""
        while (line := self._lines.readline()) not in {b".\r\n", b""}:
            data += line
        if said := self.server.says.get("END"):
            self._say(said)
            return
        self.server.mails.append(message_from_bytes(data, policy=policy.default))
        self.server.recipients.append(self._to)
        self.server.was_secure.append(self._is_secure)
        self._say("250 taken")

    def _secure(self) -> None:
        assert self.server.context
        # The plain one is given up in any case, also where no secure one is agreed on.
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self._is_secure = True

    def _say(self, line: str) -> None:
        self.request.sendall(f"{line}\r\n".encode())


class Door(Listener):
    """Lets TCP through to a server on a Unix socket; by TLS with a context, of which PostgreSQL is asked first."""

    def __init__(self, path: str, context: ssl.SSLContext | None = None, *, is_asked: bool = False) -> None:
        super().__init__(_Through)
        self.path, self.context, self.is_asked = path, context, is_asked


class _Through(socketserver.BaseRequestHandler):
    server: Door

    def handle(self) -> None:
        near = self.request
        if self.server.is_asked:
            assert near.recv(8, socket.MSG_WAITALL) == struct.pack(">II", 8, 80877103)
            near.sendall(b"S")
        if self.server.context:
            near = self.server.context.wrap_socket(near, server_side=True)
        with near, socket.socket(socket.AF_UNIX) as far:
            far.connect(self.server.path)
            threading.Thread(target=_copy, args=(far, near), daemon=True).start()
            _copy(near, far)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


class Silent(Listener):
    """Takes connections and says `words`, then nothing more, until the test is over."""

    def __init__(self, words: bytes = b"") -> None:
        super().__init__(_Silence)
        self.words = words
        self.released = threading.Event()

    def __exit__(self, *_: object) -> None:
        self.released.set()
        super().__exit__()


class _Silence(socketserver.BaseRequestHandler):
    server: Silent

    def handle(self) -> None:
        self.request.sendall(self.server.words)
        self.server.released.wait(20)


class Parrot(Listener):
    """Answers each HTTP request with what `says` makes of its path and query: status, headers and body."""

    def __init__(self, says: Callable[[str], tuple[str, str, bytes]]) -> None:
        super().__init__(_Parroting)
        self.says = says


class _Parroting(socketserver.StreamRequestHandler):
    server: Parrot

    def handle(self) -> None:
        path = self.rfile.readline().split()[1].decode()
        lengths = [
            int(line.split()[1]) for line in iter(self.rfile.readline, b"\r\n") if line.startswith(b"Content-Length")
        ]
        self.rfile.read(*lengths)
        status, headers, body = self.server.says(path)
        head = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self.wfile.write(head.encode() + body)


@dataclass
class Published:
    """What an AMQP broker was sent."""

    exchange: str
    routing_key: str
    mandatory: bool
    body: bytes


class Broker(Listener):
    """Speaks as much of AMQP 0-9-1 as publishing and consuming take, frame by frame.

    `queues` and `exchanges` are what there is. `waiting` are the messages of each queue, `acknowledged` those that
    somebody took away for good; those that were given to a connection and not acknowledged wait again when it ends.
    """

    def __init__(
        self,
        queues: Mapping[str, int] | None = None,
        exchanges: tuple[str, ...] = (),
        context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(_BrokerSession)
        self.context = context
        self.queues, self.exchanges = dict(queues or {}), exchanges
        self.password = "secret"
        self.published: list[Published] = []
        self.waiting: dict[str, list[bytes]] = {}
        self.acknowledged: list[bytes] = []
        self.delivered = 0
        self.is_full = self.returns = False


class _BrokerSession(socketserver.BaseRequestHandler):
    """One connection. A method frame is its class and method, then its arguments."""

    server: Broker

    def handle(self) -> None:
        if self.server.context:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self._prefetch, self._given = 0, dict[int, tuple[str, bytes]]()
        with self.request:
            try:
                self._speak()
            finally:
                self._take_back()

    def _speak(self) -> None:
        assert self._exactly(8) == b"AMQP\x00\x00\x09\x01"
        self._method(0, (10, 10), "ooFSS", [0, 9, {}, "PLAIN", "en_US"])
        methods: dict[tuple[int, int], Callable[[int, bytes], Any]] = {
            (10, 11): self._start_ok, (10, 31): lambda *_: None, (10, 40): self._reply((10, 41), "s", [""]),
            (20, 10): self._reply((20, 11), "S", [""]), (50, 10): self._queue, (40, 10): self._exchange,
            (85, 10): self._reply((85, 11), "", []), (60, 40): self._publish, (20, 40): self._reply((20, 41), "", []),
            (10, 50): self._close, (20, 41): lambda *_: None, (60, 10): self._qos,
            (60, 20): self._consume, (60, 30): self._reply((60, 31), "s", ["tag"]), (60, 80): self._ack,
        }  # fmt: skip
        while frame := self._frame():
            _, channel, payload = frame
            methods[struct.unpack(">HH", payload[:4])](channel, payload[4:])

    def _start_ok(self, _channel: int, payload: bytes) -> None:
        if self.server.password.encode() not in payload:
            self._method(0, (10, 50), "BsBB", [403, "ACCESS_REFUSED - Login was refused using PLAIN.", 10, 11])
            return
        self._method(0, (10, 30), "BlB", [2047, 131072, 0])

    def _queue(self, channel: int, payload: bytes) -> None:
        name = _short(payload, 2)
        if name in self.server.queues:
            count = len(self.server.waiting.get(name, ())) or self.server.queues[name]
            self._method(channel, (50, 11), "sll", [name, count, 0])
        else:
            self._method(channel, (20, 40), "BsBB", [404, f"NOT_FOUND - no queue '{name}' in vhost '/'", 50, 10])

    def _exchange(self, channel: int, payload: bytes) -> None:
        name = _short(payload, 2)
        if name in self.server.exchanges:
            self._method(channel, (40, 11), "", [])
        else:
            self._method(channel, (20, 40), "BsBB", [404, f"NOT_FOUND - no exchange '{name}' in vhost '/'", 40, 10])

    def _publish(self, channel: int, payload: bytes) -> None:
        exchange = _short(payload, 2)
        key = _short(payload, 3 + len(exchange))
        mandatory = bool(payload[4 + len(exchange) + len(key)] & 1)
        header, body = self._frame(), b""
        assert header
        size = struct.unpack(">Q", header[2][4:12])[0]
        while len(body) < size:
            part = self._frame()
            assert part
            body += part[2]
        if self.server.returns:
            self._method(channel, (60, 50), "Bsss", [312, "NO_ROUTE", exchange, key])
            self._send(2, channel, header[2])
            self._send(3, channel, body)
        else:
            self.server.published.append(Published(exchange, key, mandatory, body))
        self._method(channel, (60, 120) if self.server.is_full else (60, 80), "Lb", [1, 0])

    def _close(self, channel: int, _: bytes) -> None:
        self._take_back()
        self._method(channel, (10, 51), "", [])

    def _take_back(self) -> None:
        """What nobody acknowledged waits again, in its order."""
        for name, body in reversed(self._given.values()):
            self.server.waiting[name].insert(0, body)
        self._given.clear()

    def _qos(self, channel: int, payload: bytes) -> None:
        self._prefetch = struct.unpack(">H", payload[4:6])[0]
        self._method(channel, (60, 11), "", [])

    def _consume(self, channel: int, payload: bytes) -> None:
        name = _short(payload, 2)
        self._method(channel, (60, 21), "s", ["tag"])
        waiting = self.server.waiting.setdefault(name, [])
        while waiting and len(self._given) < self._prefetch:
            body = waiting.pop(0)
            self._given[len(self._given) + 1] = name, body
            self.server.delivered += 1
            self._method(channel, (60, 60), "sLbss", ["tag", len(self._given), 0, "", name])
            # A type of content, headers and the id of a message.
            flags = struct.pack(">HHQH", 60, 0, len(body), 0b1110_0000_1000_0000)
            properties = dumps("ssFs", ("application/json", "utf-8", {"shop": "north"}, f"m{len(self._given)}"))
            self._send(2, channel, flags + properties)
            self._send(3, channel, body)

    def _ack(self, _channel: int, payload: bytes) -> None:
        last, is_all = struct.unpack(">QB", payload[:9])
        for tag in [tag for tag in self._given if tag == last or (is_all and tag < last)]:
            self.server.acknowledged.append(self._given.pop(tag)[1])

    def _reply(self, method: tuple[int, int], kinds: str, values: list[Any]) -> Callable[[int, bytes], None]:
        return lambda channel, _: self._method(channel, method, kinds, values)

    def _method(self, channel: int, method: tuple[int, int], kinds: str, values: list[Any]) -> None:
        self._send(1, channel, struct.pack(">HH", *method) + dumps(kinds, tuple(values)))

    def _send(self, kind: int, channel: int, payload: bytes) -> None:
        self.request.sendall(struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce")

    def _frame(self) -> tuple[int, int, bytes] | None:
        head = self._exactly(7)
        if not head:
            return None
        kind, channel, size = struct.unpack(">BHI", head)
        return kind, channel, self._exactly(size + 1)[:-1]

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.request.recv(size - len(data))
            if not more:
                return b""
            data += more
        return data


def _short(payload: bytes, at: int) -> str:
    return payload[at + 1 : at + 1 + payload[at]].decode()
