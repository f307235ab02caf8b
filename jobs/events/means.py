"""What the events of one event loop share: the HTTP door, the door for all else, and threads for what blocks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings

from badgerjobs.outbound.addresses import Policy
from badgerjobs.outbound.client import Client
from badgerjobs.outbound.names import Resolver
from badgerjobs.outbound.relay import Line, relayed
from badgerjobs.outbound.slots import Slots
from jobs.perform import open_client

# What speaks to mail servers and brokers blocks. A server that hangs may hold so many of the threads, and never all.
THREADS = 16
EACH = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Means:
    client: Client
    policy: Policy
    resolver: Resolver
    threads: ThreadPoolExecutor
    slots: Slots

    def line(self, connection: Mapping[str, Any]) -> AbstractAsyncContextManager[Line]:
        """A line to the checked address of a connection's server. Raises Unreachable when it is entered."""
        return relayed(connection["host"], connection["port"], policy=self.policy, resolver=self.resolver)

    async def in_thread(self, host: str, work: Callable[[], T]) -> T:
        """Do what blocks. Raises what it raises, and HostFullError when this host has all the threads it may have.

        Whoever is cancelled leaves the thread to its end: it has to notice that its line is cut.
        """
        task = asyncio.create_task(self._held(host, work))
        task.add_done_callback(_noticed)
        return await asyncio.shield(task)

    async def _held(self, host: str, work: Callable[[], T]) -> T:
        async with self.slots.of(host, stays=False):
            return await asyncio.get_running_loop().run_in_executor(self.threads, work)


def _noticed(task: asyncio.Task[Any]) -> None:
    # Or asyncio complains of a failure for which nobody waited any more.
    _ = task.cancelled() or task.exception()


@asynccontextmanager
async def open_means() -> AsyncIterator[Means]:
    """For one event loop. Nobody waits for a server when it ends."""
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="event")
    try:
        async with open_client() as client:
            yield Means(client, Policy(settings.EGRESS_ALLOW), Resolver(), threads, Slots(EACH, slow=THREADS))
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
