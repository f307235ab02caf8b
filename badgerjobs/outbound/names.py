"""Names to addresses: each name looked up once at a time, within bounds, so that no tenant's names stop another's."""

import asyncio
import socket
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Thread

from aiohttp.abc import AbstractResolver, ResolveResult

from badgerjobs.outbound.slots import Slots

# A host with more addresses than this is somebody's attack; the rest are not tried.
MOST_ADDRESSES = 16
LOOK_UP_S = 5.0
KEPT_S = 10.0
MOST_KEPT = 1000
# Threads. Those of silent names last as long as the system's resolver tries, and that cannot be cut short.
AT_ONCE = 128
AT_ONCE_PER_DOMAIN = 8
MOST_WAITING = 2000
MOST_WAITING_PER_DOMAIN = 500

LookUp = Callable[[str, int], Awaitable[Sequence[str]]]


class CrowdedError(OSError):
    """Too many look-ups wait already."""


@dataclass(slots=True)
class _UnderWay:
    task: asyncio.Task[list[str]]
    waiting: int = 0


class Resolver(AbstractResolver):
    """Looks names up by `look_up` or the system, and remembers what was found for `KEPT_S`.

    Calls for one name share one look-up. It ends after `LOOK_UP_S`, or when the last of them has given up. Raises
    OSError when there are no addresses.
    """

    def __init__(self, look_up: LookUp | None = None) -> None:
        self._look_up = look_up or SystemLookUp()
        self._kept: OrderedDict[str, tuple[float, list[str]]] = OrderedDict()
        self._under_way: dict[str, _UnderWay] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)
            for address in self._remembered(host) or await self._shared(host, port)
        ]

    async def close(self) -> None:
        """Nothing is held: look-ups end with those who wait for them."""

    def _remembered(self, host: str) -> list[str] | None:
        known = self._kept.get(host)
        return known[1] if known and time.monotonic() < known[0] + KEPT_S else None

    async def _shared(self, host: str, port: int) -> list[str]:
        shared = self._under_way.get(host)
        if shared is None:
            shared = self._under_way[host] = _UnderWay(asyncio.create_task(self._found(host, port)))
            shared.task.add_done_callback(_noticed)
        shared.waiting += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.waiting -= 1
            if not shared.waiting:
                shared.task.cancel()
            if self._under_way.get(host) is shared and (shared.task.done() or not shared.waiting):
                del self._under_way[host]

    async def _found(self, host: str, port: int) -> list[str]:
        try:
            async with asyncio.timeout(LOOK_UP_S):
                addresses = list(dict.fromkeys(await self._look_up(host, port)))[:MOST_ADDRESSES]
        except TimeoutError:
            raise socket.gaierror(socket.EAI_AGAIN, "no name server answered in time") from None
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        self._keep(host, addresses)
        return addresses

    def _keep(self, host: str, addresses: list[str]) -> None:
        self._kept[host] = time.monotonic(), addresses
        self._kept.move_to_end(host)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


def _noticed(task: asyncio.Task[list[str]]) -> None:
    # Or asyncio complains of a failure that came just as the last who waited had left.
    _ = task.cancelled() or task.exception()


class SystemLookUp:
    """getaddrinfo in threads of its own.

    Not in the loop's executor: it has six threads on two cores, and six names whose servers are silent would hold up
    everybody's look-ups. Daemons, so that a silent name server cannot hold up the end of the process either. Each
    domain has a fair share of them. Raises CrowdedError when too many wait.
    """

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)
        self._shares = Slots(AT_ONCE_PER_DOMAIN)
        self._waiting = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        domain = domain_of(host)
        if self._waiting >= MOST_WAITING or self._shares.calls(domain) >= MOST_WAITING_PER_DOMAIN:
            raise CrowdedError
        begun = asyncio.Event()
        task = asyncio.create_task(self._ask(host, port, domain, begun))
        self._waiting += 1
        try:
            found = await asyncio.shield(task)
        except asyncio.CancelledError:
            # A thread cannot be stopped: its place is taken until it ends.
            if not begun.is_set():
                task.cancel()
            raise
        finally:
            self._waiting -= 1
        if isinstance(found, OSError):
            raise found
        return found

    async def _ask(self, host: str, port: int, domain: str, begun: asyncio.Event) -> Sequence[str] | OSError:
        """Give the failure back instead of raising it: whoever asked may have left."""
        async with self._shares.of(domain), self._free:
            begun.set()
            answer: asyncio.Future[Sequence[str] | OSError] = asyncio.get_running_loop().create_future()
            try:
                Thread(target=_look_up, args=(host, port, answer), name=f"look-up {host}", daemon=True).start()
            except RuntimeError:  # the process may have no more threads
                return CrowdedError()
            return await answer


def domain_of(host: str) -> str:
    """Guess the part of a name that one owner has: its last two labels, or three below `co.uk` and its like."""
    labels = host.rstrip(".").split(".")
    is_below_country = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if is_below_country else -2 :])


def _look_up(host: str, port: int, answer: asyncio.Future[Sequence[str] | OSError]) -> None:
    found: Sequence[str] | OSError
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        found = [str(info[4][0]) for info in infos]
    except OSError as error:
        found = error
    except UnicodeError:
        found = socket.gaierror(socket.EAI_NONAME, "not a host name")
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        answer.get_loop().call_soon_threadsafe(partial(_deliver, answer, found))


def _deliver(answer: asyncio.Future[Sequence[str] | OSError], found: Sequence[str] | OSError) -> None:
    if not answer.done():
        answer.set_result(found)
