"""The door for what is not HTTP: a driver is given a port on loopback, and speaks through it to one checked address.

So the guard holds whatever the driver is: the name is looked up once, the address checked, and nothing else connected
to. Only a driver of this process comes through, and the port stays taken until the line ends, so that nobody else on
this machine gets what a driver sends there second. What comes back is counted, since drivers keep whole rows and frames
in memory; and when time is up the line is cut, which wakes a driver that waits in a thread. TLS is the driver's own,
from end to end, by the server's name.
"""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from badgerjobs.outbound.addresses import Policy, Refused
from badgerjobs.outbound.calls import ErrorClass
from badgerjobs.outbound.names import CrowdedError, Resolver
from badgerjobs.outbound.own_sockets import is_from_here

LOOPBACK = "127.0.0.1"
CONNECT_S = 10.0
CHUNK = 64 * 1024
MOST_BYTES = 16 * 1024 * 1024


class Unreachable(Exception):  # noqa: N818  no bug here: the server's end failed
    """No line to the server. `message` is a sentence for the person whose server it is."""

    def __init__(self, error_class: ErrorClass, message: str) -> None:
        super().__init__(f"{error_class}: {message}")
        self.error_class: ErrorClass = error_class
        self.message = message


@dataclass(slots=True)
class Line:
    """A line that is open: `port` on loopback leads to the server. `is_full`: it was cut, since too much came back."""

    port: int
    left: int
    is_full: bool = False
    _is_cut: bool = False
    _near: asyncio.StreamWriter | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def _cut(self) -> None:
        """Wake the driver, whether or not anything was passed on yet."""
        self._is_cut = True
        for task in self._tasks:
            task.cancel()
        if self._near:
            self._near.transport.abort()
        await asyncio.sleep(0)
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def relayed(
    host: str, port: int, *, policy: Policy, resolver: Resolver, most_bytes: int = MOST_BYTES
) -> AsyncIterator[Line]:
    """A line to a server, for one connection, cut when this ends. Raises Unreachable."""
    reader, writer = await _connected(host, port, policy, resolver)
    line = Line(0, most_bytes)
    server = await asyncio.start_server(lambda r, w: _join(line, (r, w), (reader, writer)), LOOPBACK, 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        # No one else is let in. Whom the loop is just letting in needs a server that is open, or would wait for ever.
        asyncio.get_running_loop().remove_reader(server.sockets[0])
        writer.transport.abort()
        try:
            await line._cut()
        finally:
            server.close()


async def _connected(
    host: str, port: int, policy: Policy, resolver: Resolver
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        async with asyncio.timeout(CONNECT_S):
            addresses = await _checked(host, port, policy, resolver)
            return await _first_of(addresses, port)
    except Refused as refused:
        raise Unreachable("refused", str(refused)) from None
    except CrowdedError:
        raise Unreachable("dns", f"The name {host} could not be looked up just now (DNS).") from None
    except socket.gaierror:
        raise Unreachable("dns", f"The name {host} could not be found (DNS).") from None
    except ConnectionRefusedError:
        raise Unreachable("connect", f"{host} refused the connection: nothing listens on port {port}.") from None
    except OSError as error:  # TimeoutError is one of them
        if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
            raise Unreachable("timeout", f"{host}:{port} did not answer when it was connected to.") from None
        raise Unreachable("connect", f"{host}:{port} could not be reached.") from None


async def _checked(host: str, port: int, policy: Policy, resolver: Resolver) -> list[str]:
    """The addresses of a name that may be connected to. Raises Refused when there is none, and OSError."""
    policy.check_name(host, port)
    refusal: Refused | None = None
    checked = []
    for address in [found["host"] for found in await resolver.resolve(host, port)]:
        try:
            policy.check(address, port, host)
            checked.append(address)
        except Refused as refused:
            refusal = refused
    if not checked:
        raise refusal or socket.gaierror(socket.EAI_NONAME, "no address")
    return checked


async def _first_of(addresses: list[str], port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the first address that takes one: literal addresses, so that nothing is looked up again."""
    for address in addresses[:-1]:
        with contextlib.suppress(OSError):
            return await asyncio.open_connection(address, port)
    return await asyncio.open_connection(addresses[-1], port)


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _join(line: Line, near: Ends, far: Ends) -> None:
    """One driver, once: whoever else comes to the port is hung up on, and who comes too late."""
    if line._near or line._is_cut or not is_from_here(near[1].get_extra_info("socket")):
        near[1].transport.abort()
        return
    line._near = near[1]
    line._tasks = [
        asyncio.create_task(_copy(near[0], far[1])),
        asyncio.create_task(_copy(far[0], near[1], line)),
    ]


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: Line | None = None) -> None:
    """Pass on what comes until it ends; what comes back, at most as much as the line has left."""
    try:
        while data := await reader.read(CHUNK):
            if line:
                line.left -= len(data)
                if line.left < 0:
                    line.is_full = True
                    break
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        if line and line.is_full:
            writer.transport.abort()
        with contextlib.suppress(OSError, RuntimeError):
            writer.close()
