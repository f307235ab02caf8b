"""Rows that a driver reads in a thread: a few pieces lie ready, and it waits until somebody takes them."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any

from badgerjobs.sources.rows.pulls import Chunk

READY = 2
Give = Callable[[Chunk], None]


class StoppedError(Exception):
    """Nobody wants any more."""


async def read_in_thread(read: Callable[[Give], None], timeout_s: float) -> AsyncGenerator[Chunk, None]:
    """What `read` gives, in a thread of its own. Raises what it raises, and TimeoutError after so long without any.

    It is left to its end by who stops: cut the line that it reads from.
    """
    loop = asyncio.get_running_loop()
    came: asyncio.Queue[Chunk | BaseException | None] = asyncio.Queue()
    room, stopped = threading.Semaphore(READY), threading.Event()

    def put(one: Chunk | BaseException | None) -> None:
        if not stopped.is_set():
            with suppress(RuntimeError):  # the loop has just been closed: nobody waits
                loop.call_soon_threadsafe(came.put_nowait, one)

    def give(chunk: Chunk) -> None:
        room.acquire()
        if stopped.is_set():
            raise StoppedError
        put(chunk)

    def run() -> None:
        end: Any = None
        try:
            read(give)
        except StoppedError:
            return
        except BaseException as error:
            end = error
        put(end)

    threading.Thread(target=run, name="rows", daemon=True).start()
    try:
        while (found := await asyncio.wait_for(came.get(), timeout_s)) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found
            room.release()
    finally:
        stopped.set()
        room.release()
