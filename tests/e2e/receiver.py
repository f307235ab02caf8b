"""A receiver that remembers every call and answers as a test tells it to: an asyncio server in a thread of its own."""

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `nth` says how often this `webhook-id` has come, from 1; `at` is in seconds since 1970."""

    id: str
    nth: int
    index: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gets: after so many seconds; with a gate, not before the test opens it. `headers` by name."""

    status: int = 200
    gate: str = ""
    location: str = ""
    after_s: float = 0
    body: bytes = b"ok"
    headers: tuple[tuple[str, str], ...] = ()


def ok(_: Call) -> Answer:
    """200 at once."""
    return Answer()


class Receiver:
    """Use it as a context. `calls` grows as they arrive; `answer` may be replaced at any time.

    `cut` are the calls at a gate whose connection was closed before it opened.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.cut: list[Call] = []
        self.answer: Callable[[Call], Answer] = ok
        self._seen: Counter[str] = Counter()
        self._gates: dict[str, asyncio.Event] = {}
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="receiver", daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def open(self, gate: str) -> None:
        """Let the calls at this gate have their answers, and all that come to it later."""
        self._loop.call_soon_threadsafe(lambda: self._gate(gate).set())

    def forget(self) -> None:
        """Begin anew: no calls, no gates, 200 for everybody."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(self._forget, done)
        assert done.wait(10)

    def _forget(self, done: threading.Event) -> None:
        for gate in self._gates.values():
            gate.set()
        self.calls, self.cut, self.answer, self._gates = [], [], ok, {}
        self._seen.clear()
        done.set()

    def _gate(self, name: str) -> asyncio.Event:
        return self._gates.setdefault(name, asyncio.Event())

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._converse, "127.0.0.1", backlog=2000)
        self.port: int = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._ended.wait()
        server.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                call = await self._read(reader)
                answer = self.answer(call)
                if answer.after_s:
                    await asyncio.sleep(answer.after_s)
                if answer.gate and not await self._opened(answer.gate, reader):
                    self.cut.append(call)
                    break
                headers = [*answer.headers, *([("Location", answer.location)] if answer.location else [])]
                said = "".join(f"{name}: {value}\r\n" for name, value in headers)
                size = len(answer.body)
                writer.write(f"HTTP/1.1 {answer.status} Said\r\n{said}Content-Length: {size}\r\n\r\n".encode())
                writer.write(answer.body)
                await writer.drain()
        writer.close()

    async def _opened(self, gate: str, reader: asyncio.StreamReader) -> bool:
        """Wait at a gate. Whether the caller was still there when it was opened."""
        opened, cut = asyncio.create_task(self._gate(gate).wait()), asyncio.create_task(reader.read(1))
        await asyncio.wait([opened, cut], return_when=asyncio.FIRST_COMPLETED)
        is_open = opened.done()
        for task in (opened, cut):
            task.cancel()
        await asyncio.gather(opened, cut, return_exceptions=True)
        return is_open

    async def _read(self, reader: asyncio.StreamReader) -> Call:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        run_id = headers.get("webhook-id", "")
        self._seen[run_id] += 1
        call = Call(run_id, self._seen[run_id], len(self.calls), method, path, headers, body, time.time())
        self.calls.append(call)
        return call
