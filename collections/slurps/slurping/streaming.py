"""Batches of a coroutine's for a thread that stores them: a few ahead, and no more."""

import asyncio
import logging
import queue
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager

from slurps.slurping.plan import Batch

logger = logging.getLogger(__name__)

# So many batches are made ahead of the one that is being stored.
AHEAD = 4
_LOOK_S = 0.2
# How long is waited for the thread in the end: it may have to tell sources what became of their rows.
ENDS_S = 30.0


class GivenUpError(Exception):
    """The worker took the work back."""


Came = queue.Queue[Batch | BaseException | None]
# Told, on the loop that made them, whether what came is stored for good.
Settle = Callable[[bool], Awaitable[None]]


async def _nobody(_kept: bool) -> None:
    """Nobody needs to know."""


class Streamed:
    """Iterate over it: what the iterator gives. Raises what it raises, and GivenUpError. Say `keep` when it is stored.

    `meanwhile` is called several times a second, also while nothing comes.
    """

    def __init__(self, stopped: threading.Event, meanwhile: Callable[[], None]) -> None:
        self._stopped, self._meanwhile = stopped, meanwhile
        self.came: Came = queue.Queue(AHEAD)
        self.over = threading.Event()
        self.is_kept = False

    def keep(self) -> None:
        """What came is stored for good."""
        self.is_kept = True

    def __iter__(self) -> Iterator[Batch]:
        while True:
            if self._stopped.is_set():
                raise GivenUpError
            self._meanwhile()
            try:
                one = self.came.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
            if one is None:
                return
            if isinstance(one, BaseException):
                raise one
            yield one


@contextmanager
def streamed(
    make: Callable[[], AsyncIterator[Batch]],
    *,
    stopped: threading.Event,
    settle: Settle = _nobody,
    meanwhile: Callable[[], None] = lambda: None,
) -> Iterator[Streamed]:
    """What the iterator gives, made on a loop in a thread of its own; in the end the loop is told what became of it."""
    stream = Streamed(stopped, meanwhile)
    thread = threading.Thread(target=_make, args=(make, stream, settle), name="pulling", daemon=True)
    thread.start()
    try:
        yield stream
    finally:
        stream.over.set()
        thread.join(ENDS_S)


def _make(make: Callable[[], AsyncIterator[Batch]], stream: Streamed, settle: Settle) -> None:
    try:
        asyncio.run(_put_all(make, stream, settle))
    except BaseException as error:
        _put(stream.came, error, stream.over)


async def _put_all(make: Callable[[], AsyncIterator[Batch]], stream: Streamed, settle: Settle) -> None:
    end: BaseException | None = None
    try:
        await _put_until_over(make, stream)
    except BaseException as error:
        end = error
    await asyncio.to_thread(_put, stream.came, end, stream.over)
    await asyncio.to_thread(stream.over.wait)
    try:
        await settle(stream.is_kept)
    except Exception:
        logger.exception("a source was not told what became of its rows")


async def _put_until_over(make: Callable[[], AsyncIterator[Batch]], stream: Streamed) -> None:
    pulling = asyncio.create_task(_put_each(make, stream.came, stream.over))
    while not pulling.done():
        if stream.over.is_set():
            pulling.cancel()
        await asyncio.wait([pulling], timeout=_LOOK_S)
    if not pulling.cancelled():
        pulling.result()


async def _put_each(make: Callable[[], AsyncIterator[Batch]], came: Came, over: threading.Event) -> None:
    async with aclosing(make()) as batches:  # type: ignore[type-var]  # generators, all of them
        async for batch in batches:
            try:
                came.put_nowait(batch)
            except queue.Full:
                await asyncio.to_thread(_put, came, batch, over)
            if over.is_set():
                return


def _put(came: Came, one: Batch | BaseException | None, over: threading.Event) -> None:
    while not over.is_set():
        try:
            came.put(one, timeout=_LOOK_S)
        except queue.Full:
            continue
        return
