"""Batches of a coroutine's for a thread that stores them: a few ahead, and no more."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing

from slurps.slurping.plan import Batch

# So many batches are made ahead of the one that is being stored.
AHEAD = 4
_LOOK_S = 0.2


class GivenUpError(Exception):
    """The worker took the work back."""


def streamed(
    make: Callable[[], AsyncIterator[Batch]], *, stopped: threading.Event, meanwhile: Callable[[], None] = lambda: None
) -> Iterator[Batch]:
    """What the iterator gives, made on a loop in a thread of its own. Raises what it raises, and GivenUpError.

    `meanwhile` is called several times a second, also while nothing comes.
    """
    came: queue.Queue[Batch | BaseException | None] = queue.Queue(AHEAD)
    over = threading.Event()
    thread = threading.Thread(target=_make, args=(make, came, over), name="pulling", daemon=True)
    thread.start()
    try:
        while True:
            if stopped.is_set():
                raise GivenUpError
            meanwhile()
            try:
                one = came.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
            if one is None:
                return
            if isinstance(one, BaseException):
                raise one
            yield one
    finally:
        over.set()
        thread.join(10)


def _make(
    make: Callable[[], AsyncIterator[Batch]], came: "queue.Queue[Batch | BaseException | None]", over: threading.Event
) -> None:
    try:
        asyncio.run(_put_all(make, came, over))
    except BaseException as error:
        _put(came, error, over)
    else:
        _put(came, None, over)


async def _put_all(
    make: Callable[[], AsyncIterator[Batch]], came: "queue.Queue[Batch | BaseException | None]", over: threading.Event
) -> None:
    pulling = asyncio.create_task(_put_each(make, came, over))
    while not pulling.done():
        if over.is_set():
            pulling.cancel()
        await asyncio.wait([pulling], timeout=_LOOK_S)
    if not pulling.cancelled():
        pulling.result()


async def _put_each(
    make: Callable[[], AsyncIterator[Batch]], came: "queue.Queue[Batch | BaseException | None]", over: threading.Event
) -> None:
    async with aclosing(make()) as batches:  # type: ignore[type-var]  # generators, all of them
        async for batch in batches:
            try:
                came.put_nowait(batch)
            except queue.Full:
                await asyncio.to_thread(_put, came, batch, over)
            if over.is_set():
                return


def _put(
    came: "queue.Queue[Batch | BaseException | None]", one: Batch | BaseException | None, over: threading.Event
) -> None:
    while not over.is_set():
        try:
            came.put(one, timeout=_LOOK_S)
        except queue.Full:
            continue
        return
