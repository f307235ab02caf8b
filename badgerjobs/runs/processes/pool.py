"""The worker's processes that run definitions' code: started when they are needed, used again, ended.

Why they are not Celery's: docs/adr/0017.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from django.conf import settings

from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.child import GRACE_S, Child
from badgerjobs.runs.processes.pipe import Work

__all__ = ["Pool", "Work", "open_shared"]

logger = logging.getLogger(__name__)

# One that was not needed for so long is ended, and so is one that has done so much: code may leak.
IDLE_S = 60.0
MOST_WORKS = 1000


class Pool:
    """At most `slots` processes, each with one work at a time. Belongs to one event loop."""

    def __init__(
        self, slots: int, *, idle_s: float = IDLE_S, grace_s: float = GRACE_S, most_works: int = MOST_WORKS
    ) -> None:
        self._room = asyncio.Semaphore(slots)
        self._idle_s, self._grace_s, self._most_works = idle_s, grace_s, most_works
        self._idle: dict[Child, asyncio.TimerHandle] = {}  # the one that was used last is the last
        self._children: set[Child] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End all processes at once, whatever they do."""
        for child in self._children:
            child.kill()
        for child, timer in self._idle.items():
            timer.cancel()
            self._begin(self._over(child))
        self._idle.clear()
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def iterate(self, work: Work) -> Came:
        """Have the work done by a process; waits until one is free. When this is cancelled, the process is told.

        It may take a moment to stop then, and its place is not free before.
        """
        await self._room.acquire()
        try:
            child = self._taken()
        except OSError as error:
            self._room.release()
            logger.exception("no process can be started")
            return Came("unready", f"No process can be started to run the code: {error.strerror}.")
        task = self._begin(self._performed(child, work))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.done():  # else the process has something else to do by now, or soon
                child.stop()
            raise

    def _taken(self) -> Child:
        while self._idle:
            child, timer = self._idle.popitem()
            timer.cancel()
            if child.lives:
                return child
            self._begin(self._over(child))
        child = Child(grace_s=self._grace_s)
        self._children.add(child)
        return child

    async def _performed(self, child: Child, work: Work) -> Came:
        try:
            return await child.perform(work)
        finally:
            if child.is_fit and child.works < self._most_works:
                self._idle[child] = asyncio.get_running_loop().call_later(self._idle_s, self._forget, child)
            else:
                await self._over(child)
            self._room.release()

    def _forget(self, child: Child) -> None:
        del self._idle[child]
        self._begin(self._over(child))

    async def _over(self, child: Child) -> None:
        await child.end()
        self._children.discard(child)

    def _begin(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


_shared: dict[asyncio.AbstractEventLoop, tuple[Pool, int]] = {}


@asynccontextmanager
async def open_shared() -> AsyncIterator[Pool]:
    """The pool of this event loop, of CODE_PROCESSES: one for all kinds of runs. Who leaves last closes it."""
    loop = asyncio.get_running_loop()
    pool, users = _shared.get(loop) or (Pool(settings.CODE_PROCESSES), 0)
    _shared[loop] = pool, users + 1
    try:
        yield pool
    finally:
        pool, users = _shared.pop(loop)
        if users > 1:
            _shared[loop] = pool, users - 1
        else:
            await pool.__aexit__(None, None, None)
