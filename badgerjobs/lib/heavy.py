"""Work that holds the interpreter's lock, beside an event loop that must go on.

In a thread alone it would leave the loop no time all the same: what reads JSON lets nobody else run until it is done.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Heavy:
    """One piece of work at a time, and after each a breath as long as it took: half of the time is the loop's.

    For one loop. `close` it in the end.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="heavy")

    async def do(self, work: Callable[[], T]) -> T:
        """Wait for one's turn, and for what the work returns. Raises what it raises."""
        await self._turn.acquire()
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        try:
            return await loop.run_in_executor(self._thread, work)
        finally:
            loop.call_later(time.perf_counter() - began, self._turn.release)

    def close(self) -> None:
        """Begin nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
