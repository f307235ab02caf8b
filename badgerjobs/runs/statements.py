"""Database statements beside an event loop: in a few threads, each with a connection, so that no coroutine waits."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import Error, connection

from badgerjobs.runs.record import may_pass

logger = logging.getLogger(__name__)

PAUSE_S = 1.0  # before the database is tried again

P = ParamSpec("P")
T = TypeVar("T")


class Statements:
    """So many threads. One whose connection breaks gets a new one with its next statement."""

    def __init__(self, threads: int) -> None:
        self._count = threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="database")

    async def run(self, statement: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Wait for a function that uses the database. Raises what it raises."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: _mending(statement, *args, **kwargs))

    async def insist(self, statement: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Wait for a function that uses the database, and never give up on the server.

        It may be called again after it was done. Raises what is the statement's own fault.
        """
        while True:
            try:
                return await self.run(statement, *args, **kwargs)
            except Exception as error:
                if not may_pass(error):
                    raise
                logger.exception("a run cannot go on; trying again in %s s", PAUSE_S)
            await asyncio.sleep(PAUSE_S)

    async def hang_up(self) -> None:
        """Close the connection of each thread: the barrier holds them, so that no thread closes twice."""
        everyone = threading.Barrier(self._count)

        def close() -> None:
            with contextlib.suppress(threading.BrokenBarrierError):  # one is stuck in a statement
                everyone.wait(1)
            connection.close()

        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(self._threads, close) for _ in range(self._count)))
        self._threads.shutdown(wait=False)


def _mending(statement: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return statement(*args, **kwargs)
    except Error:
        connection.close_if_unusable_or_obsolete()
        raise
    except (SystemExit, KeyboardInterrupt) as error:  # a loop that is given one of these ends, with all that is on it
        raise RuntimeError(f"A statement raised {type(error).__name__}.") from error
