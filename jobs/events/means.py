"""What the events of one event loop share: the HTTP door, the door for all else, and threads for what blocks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.conf import settings

from badgerjobs.outbound.addresses import Policy
from badgerjobs.outbound.appointments import Appointments
from badgerjobs.outbound.client import Client
from badgerjobs.outbound.names import Resolver
from badgerjobs.outbound.relay import Line, relayed
from badgerjobs.outbound.slots import Slots
from badgerjobs.runs.statements import Statements
from badgerjobs.web.outgoing import open_client

# What speaks to mail servers and brokers blocks. A workspace has so many of the threads, and fewer the more of all wait
# for servers that hang: a few such workspaces never have all.
THREADS, THREADS_EACH = 16, 6
# For what events write into our own database, and for those that trigger background tasks, whose definitions may take
# their time to say whether they let them.
STATEMENTS, TRIGGERS = 1, 2
# A workspace has so many connections to one server; fewer, down to one, when all together have so many that last.
EACH, LASTING = 4, 128

# The one name that all threads go by.
ALL = "threads"

T = TypeVar("T")


@dataclass(slots=True)
class Turn:
    """One attempt's turn at a server: a line to it, and perhaps a thread that speaks there."""

    line: Line
    _threads: ThreadPoolExecutor
    _thread: Future[Any] | None = None

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do what blocks. Raises what it raises. Cancelled, it leaves the thread to its end, or never begins it."""
        started = self._thread = self._threads.submit(work)
        return await asyncio.wrap_future(started)

    def is_over(self) -> bool:
        """Whether nobody speaks there any more."""
        return self._thread is None or self._thread.done()

    async def ended(self) -> None:
        """Wait until the thread has noticed that its line is cut."""
        with suppress(Exception):
            if self._thread:
                await asyncio.wrap_future(self._thread)


@dataclass(frozen=True, slots=True)
class Means:
    """`slots` are places at servers, by `server_of`; `shares` are a workspace's in the threads, `free` those of all.

    `functions` says when those that the sandbox has no room for come again, by their workspaces.
    `statements` are those of our own database; `triggers` those that ask code of background tasks.
    """

    client: Client
    policy: Policy
    resolver: Resolver
    threads: ThreadPoolExecutor
    slots: Slots
    shares: Slots
    free: Slots
    functions: Appointments
    statements: Statements
    triggers: Statements
    _leaving: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def turn(
        self, connection: Mapping[str, Any], timeout_s: float, *, workspace: int, blocks: bool
    ) -> AsyncIterator[Turn]:
        """A line to the checked address of a connection's server, as soon as this workspace may have one more there.

        Only then it is connected to, and time counts: what is within has `timeout_s` seconds. `blocks`: whether it will
        need a thread, which is then free. Raises HostFullError when there is no room, Unreachable, and TimeoutError.
        """
        host, port = connection["host"], connection["port"]
        async with await self._place(connection, workspace, blocks=blocks) as place:
            turn: Turn | None = None
            try:
                async with (
                    asyncio.timeout(timeout_s),
                    relayed(host, port, policy=self.policy, resolver=self.resolver) as line,
                ):
                    turn = Turn(line, self.threads)
                    yield turn
            finally:
                if turn is not None and not turn.is_over():
                    self._leave_later(turn, place.pop_all())

    async def _place(self, connection: Mapping[str, Any], workspace: int, *, blocks: bool) -> AsyncExitStack:
        """First what is the workspace's own, then what it shares. Raises HostFullError."""
        own, server = self.shares.of(str(workspace), stays=False), server_of(connection, workspace)
        needed = [self.slots.of(server, stays=False)]
        if blocks:
            needed = [own, *needed, self.free.of(ALL, stays=False)]
        async with AsyncExitStack() as place:
            for one in needed:
                await place.enter_async_context(one)
            return place.pop_all()

    def _leave_later(self, turn: Turn, place: AsyncExitStack) -> None:
        """A thread that goes on holds its place, also when nobody waits for it any more."""

        async def leave() -> None:
            async with place:
                await turn.ended()

        task = asyncio.create_task(leave())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


def server_of(connection: Mapping[str, Any], workspace: int) -> str:
    """What a workspace's connections to a server are counted by: who else uses it, on another port too, has its own."""
    return f"{workspace} {connection['host']}:{connection['port']}"


def _slots() -> tuple[Slots, Slots, Slots]:
    """At servers, of workspaces, and of all: the last are no fewer however many are slow."""
    return Slots(EACH, slow=LASTING), Slots(THREADS_EACH, slow=THREADS), Slots(THREADS, slow=3 * THREADS)


@asynccontextmanager
async def open_means() -> AsyncIterator[Means]:
    """For one event loop. Nobody waits for a server when it ends."""
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="event")
    policy, resolver, statements = Policy(settings.EGRESS_ALLOW), Resolver(), Statements(STATEMENTS)
    triggers = Statements(TRIGGERS)
    try:
        async with open_client() as client:
            yield Means(client, policy, resolver, threads, *_slots(), Appointments(), statements, triggers)
    finally:
        await statements.hang_up()
        await triggers.hang_up()
        threads.shutdown(wait=False, cancel_futures=True)
