"""Servers that say exactly what a test wants them to say, and a client that may reach them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ssl import SSLContext, SSLError
from typing import Any

from badgerjobs.outbound.addresses import Policy
from badgerjobs.outbound.client import Answer, Call, CallFailed, Client

Script = bytes | Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Server:
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@asynccontextmanager
async def serving(*scripts: Script, tls: SSLContext | None = None, close: bool = True) -> AsyncIterator[Server]:
    """A server whose n-th request is answered by the n-th script, and the last one from then on.

    A script is the bytes of an answer, or a coroutine that has the connection. With `close` each connection ends after
    one answer; without, it goes on as the script's headers say.
    """
    server = Server()
    conversations: dict[asyncio.Task[Any], asyncio.Task[None]] = {}

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        while True:
            server.requests.append(await read_request(reader))
            script = scripts[min(len(server.requests), len(scripts)) - 1]
            if isinstance(script, bytes):
                writer.write(script)
                await writer.drain()
            else:
                await script(reader, writer)
            if close:
                return

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(converse(reader, writer))
        if whole := asyncio.current_task():
            conversations[whole] = task
        with suppress(ConnectionError, SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await task
        writer.close()
        with suppress(ConnectionError, SSLError, TimeoutError):
            await writer.wait_closed()

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in conversations.values():
            task.cancel()
        await asyncio.gather(*conversations)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.partition(b":")[2]))
    return head


def answer(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """An answer as bytes; `Content_Type="…"` becomes `Content-Type: …`."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def client_for(*servers: Server, **options: Any) -> Client:
    return Client(Policy([f"127.0.0.1:{server.port}" for server in servers]), **options)


def ask(*scripts: Script, tls: SSLContext | None = None, path: str = "", **call: Any) -> Answer:
    """Serve the scripts, make one call, and give its answer. Raises CallFailed."""

    async def conversation() -> Answer:
        async with serving(*scripts, tls=tls) as server, client_for(server) as client:
            return await client.send(Call(call.pop("method", "GET"), server.url + path, **{"timeout_s": 10.0, **call}))

    return asyncio.run(conversation())


def failure(*scripts: Script, **call: Any) -> CallFailed:
    """Serve the scripts, make one call that must fail, and give its failure."""
    try:
        got = ask(*scripts, **call)
    except CallFailed as failed:
        return failed
    raise AssertionError(f"It did not fail: {got}")
