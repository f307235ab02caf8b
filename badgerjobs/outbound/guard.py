"""The guard at the socket: every address that is connected to passes here, whoever named it."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from threading import Thread

from aiohttp.abc import AbstractResolver, ResolveResult

from badgerjobs.outbound.addresses import Policy, Refused

# A host with more addresses than this is somebody's attack; the rest are not tried.
MOST_ADDRESSES = 16
LOOK_UPS_AT_ONCE = 64

AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]
LookUp = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(slots=True)
class Hop:
    """One request of a call: whom it means to reach, and what the guard saw while it connected."""

    host: str
    opened: int = 0
    refusal: Refused | None = None


# Set by whoever sends, in the task that sends: connections are made in that task and its children.
HOP: ContextVar[Hop] = ContextVar("hop")


def guarded_by(policy: Policy) -> Callable[[AddressInfo], socket.socket]:
    """Make a maker of sockets for addresses that `policy` lets pass. Without a hop nothing is opened: LookupError."""

    def open_socket(info: AddressInfo) -> socket.socket:
        hop = HOP.get()
        address, port = info[4][:2]
        try:
            policy.check(address, port, hop.host)
        except Refused as refusal:
            hop.refusal = refusal
            raise
        hop.opened += 1
        return socket.socket(*info[:3])

    return open_socket


def only(host: str, port: int) -> Callable[[AddressInfo], socket.socket]:
    """Make a maker of sockets for one address: the demo's own receiver."""

    def open_socket(info: AddressInfo) -> socket.socket:
        if info[4][:2] != (host, port):
            raise Refused(f"{info[4][0]} is not this service's own receiver.")
        HOP.get().opened += 1
        return socket.socket(*info[:3])

    return open_socket


class Resolver(AbstractResolver):
    """Names to addresses, by `look_up` or the system. Raises OSError when there are none."""

    def __init__(self, look_up: LookUp | None = None) -> None:
        self._look_up = look_up or SystemLookUp()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = list(dict.fromkeys(await self._look_up(host, port)))[:MOST_ADDRESSES]
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held: look-ups under way end by themselves."""


class SystemLookUp:
    """getaddrinfo in threads of its own.

    Not in the loop's executor: it has six threads on two cores, and six names whose servers are silent would hold up
    everybody's look-ups. Daemons, so that a silent name server cannot hold up the end of the process either.
    """

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(LOOK_UPS_AT_ONCE)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        async with self._free:
            answer: asyncio.Future[Sequence[str]] = asyncio.get_running_loop().create_future()
            Thread(target=_look_up, args=(host, port, answer), name=f"look-up {host}", daemon=True).start()
            return await answer


def _look_up(host: str, port: int, answer: asyncio.Future[Sequence[str]]) -> None:
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        deliver = partial(_deliver, answer, [str(info[4][0]) for info in infos])
    except OSError as error:
        deliver = partial(_fail, answer, error)
    except UnicodeError:
        deliver = partial(_fail, answer, socket.gaierror(socket.EAI_NONAME, "not a host name"))
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        answer.get_loop().call_soon_threadsafe(deliver)


def _deliver(answer: asyncio.Future[Sequence[str]], addresses: Sequence[str]) -> None:
    if not answer.done():
        answer.set_result(addresses)


def _fail(answer: asyncio.Future[Sequence[str]], error: OSError) -> None:
    if not answer.done():
        answer.set_exception(error)
