"""Database statements beside an event loop: in a few threads, each with a connection, so that no coroutine waits."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import Error, connection

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
