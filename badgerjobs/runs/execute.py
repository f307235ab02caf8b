"""Performs the runs of the `io` queue: one event loop in a thread of its own, hundreds of runs in flight on it.

Three loops share it: one claims what fits into the free slots, one writes down what ended, one says that we are alive
and learns what was aborted. Statements run in a few threads beside the loop, so that no run waits for the database.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import DatabaseError, DataError, connection, transaction

from badgerjobs.runs import fleet, lifecycle
from badgerjobs.runs.kinds import Claimed, kind_of
from badgerjobs.runs.lifecycle import Finished
from badgerjobs.runs.outcomes import Failed, Outcome
from badgerjobs.runs.settle import settle

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

POLL_S = 1.0  # what a lost ring costs at most
CLAIM_AT_ONCE = 100
FLUSH_AT_ONCE = 200
FLUSH_AFTER_S = 0.01  # how long a result may wait for company
PAUSE_S = 1.0  # before the database is tried again

BUG = Failed("internal", "Something went wrong inside Badger Jobs. It has been logged, and the attempt is repeated.")


class Clock:
    """The database's clock, read once per claim and carried on by our own steady one: workers' clocks may differ."""

    def __init__(self) -> None:
        self.set(datetime.now(UTC))

    def set(self, now: datetime) -> None:
        self._start, self._since = now, time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=time.monotonic() - self._since)


class IoExecutor:
    """One worker process's share of the work. `ring` is called when more is queued than fits into our slots."""

    def __init__(self, *, worker: fleet.Identity, slots: int, ring: Callable[[], None]) -> None:
        self.worker = worker
        self.slots = slots
        self.clock = Clock()
        self._ring = ring
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._shared: dict[str, Any] = {}
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="database")
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="io", daemon=True)
        self._ready = threading.Event()

    # Called from other threads

    def start(self) -> None:
        """Begin to claim. Returns when the loop is there to be woken."""
        self._thread.start()
        self._ready.wait()

    def wake(self) -> None:
        """Somebody says that work waits."""
        with contextlib.suppress(RuntimeError):  # the loop has just ended
            self._loop.call_soon_threadsafe(self._woken.set)

    def stop(self, seconds: float) -> None:
        """Claim no more, give what runs so many seconds to end, then hand the rest back to the queue."""
        self._patience = seconds
        with contextlib.suppress(RuntimeError):
            for event in (self._stopping, self._woken, self._freed, self._seen):
                self._loop.call_soon_threadsafe(event.set)
        self._thread.join(seconds + 5)

    # On the loop

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._woken, self._stopping, self._freed, self._seen = (asyncio.Event() for _ in range(4))
        self._results: asyncio.Queue[Finished] = asyncio.Queue()
        self._patience = 0.0
        self._ready.set()
        async with contextlib.AsyncExitStack() as stack:
            self._stack = stack
            pulse = asyncio.create_task(self._keep(self._beat_pulse))
            flush = asyncio.create_task(self._keep(self._flush))
            await self._until_stopped()
            await self._drain(flush)
            pulse.cancel()
            flush.cancel()
            await asyncio.gather(pulse, flush, return_exceptions=True)
        with contextlib.suppress(DatabaseError):
            await self._db(fleet.leave, self.worker)
        self._threads.shutdown(wait=False)

    async def _until_stopped(self) -> None:
        await self._seen.wait()  # nothing is claimed before our row is there: the claim would look like a dead worker's
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), POLL_S)
            self._woken.clear()
            try:
                await self._fill()
            except Exception:
                logger.exception("claiming failed; trying again in %s s", PAUSE_S)
                await asyncio.sleep(PAUSE_S)

    async def _fill(self) -> None:
        """Claim until nothing is left, a slice of the slots at a time: a claim costs as much for one row as for ten."""
        while not self._stopping.is_set():
            free = self.slots - len(self._running)
            if free < max(1, self.slots // 8):
                self._freed.clear()
                await self._freed.wait()
                continue
            asked = min(free, CLAIM_AT_ONCE)
            claimed = await self._claim(asked)
            if len(claimed) == asked:
                await asyncio.to_thread(self._ring)  # there may be more: let another worker hear it too
            elif not claimed:
                return

    async def _claim(self, limit: int) -> list[Claimed]:
        now, claimed, loaded = await self._db(self._claim_and_load, limit)
        self.clock.set(now)
        for run in claimed:
            if run.id in loaded:
                await self._open(run.kind)
                self._running[run.id] = asyncio.create_task(self._perform(run, loaded[run.id]))
        if orphans := [run.id for run in claimed if run.id not in loaded]:
            await self._db(lifecycle.lose_owner, orphans, worker=self.worker.id, now=now)
        return claimed

    def _claim_and_load(self, limit: int) -> tuple[datetime, list[Claimed], dict[UUID, Any]]:
        now = fleet.database_now()
        claimed = lifecycle.claim(queue=self.worker.queue, worker=self.worker.id, limit=limit, now=now)
        loaded: dict[UUID, Any] = {}
        for kind in {run.kind for run in claimed}:
            loaded.update(kind_of(kind).load([run for run in claimed if run.kind == kind]))
        return now, claimed, loaded

    async def _open(self, kind: str) -> None:
        if kind not in self._shared:
            self._shared[kind] = await self._stack.enter_async_context(kind_of(kind).open())

    async def _perform(self, run: Claimed, work: Any) -> None:
        started_at = self.clock.now()
        outcome: Outcome
        try:
            outcome = await kind_of(run.kind).perform(run, work, self._shared[run.kind])
        except asyncio.CancelledError:
            self._let_go(run.id)
            raise
        except Exception:
            logger.exception("run %s raised", run.id)
            outcome = BUG
        self._results.put_nowait(settle(run, outcome, started_at=started_at, ended_at=self.clock.now()))

    def _let_go(self, run_id: UUID) -> None:
        self._running.pop(run_id, None)
        if self.slots - len(self._running) >= max(1, self.slots // 8):
            self._freed.set()

    async def _flush(self) -> None:
        """Write down what ended: in small batches, so that a slow run never holds back the fast ones."""
        batch = [await self._results.get()]
        if len(self._running) > 10:
            await asyncio.sleep(FLUSH_AFTER_S)
        while len(batch) < FLUSH_AT_ONCE and not self._results.empty():
            batch.append(self._results.get_nowait())
        for finished in batch:
            self._let_go(finished.run.id)
        await self._record(batch)
        for _ in batch:
            self._results.task_done()

    async def _record(self, batch: Sequence[Finished]) -> None:
        """Never gives up on the database: results are kept in hand until it takes them."""
        while True:
            try:
                await self._db(finish_all, batch, worker=self.worker.id)
            except DatabaseError:
                logger.exception("%d results cannot be written; trying again in %s s", len(batch), PAUSE_S)
                await asyncio.sleep(PAUSE_S)
            else:
                return

    async def _beat_pulse(self) -> None:
        """Say that we are alive, and stop the runs in our hands that are no longer ours."""
        lost = await self._db(fleet.pulse, self.worker, list(self._running))
        self._seen.set()
        for run_id in lost:
            if task := self._running.get(run_id):
                task.cancel()
        await asyncio.sleep(fleet.PULSE_S)

    async def _keep(self, step: Callable[[], Any]) -> None:
        while True:
            try:
                await step()
            except Exception:
                logger.exception("%s failed; trying again in %s s", step.__name__, PAUSE_S)
                await asyncio.sleep(PAUSE_S)

    async def _drain(self, flush: asyncio.Task[None]) -> None:
        """Wait for what runs, then for the flush that writes its results; hand back what is left."""
        if self._running:
            await asyncio.wait(self._running.values(), timeout=self._patience)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._results.join(), max(1.0, self._patience / 2))
        left = list(self._running.items())
        for _, task in left:
            task.cancel()
        await asyncio.gather(*(task for _, task in left), return_exceptions=True)
        flush.cancel()
        with contextlib.suppress(DatabaseError):
            await self._db(lifecycle.release, [run for run, _ in left], worker=self.worker.id, now=self.clock.now())

    async def _db(self, statement: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._loop.run_in_executor(
            self._threads, lambda: with_fresh_connection(statement, *args, **kwargs)
        )


def with_fresh_connection(statement: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run it, and drop the thread's connection when it turns out to be broken: the next statement gets a new one."""
    try:
        return statement(*args, **kwargs)
    except DatabaseError:
        connection.close_if_unusable_or_obsolete()
        raise


def finish_all(batch: Sequence[Finished], *, worker: UUID) -> None:
    """Record a batch. One result that the database refuses must not stop the others: halve until it stands alone.

    That one fails without its result, and says so.
    """
    try:
        with transaction.atomic():
            lifecycle.finish(batch, worker=worker)
    except (DataError, ValueError):
        if len(batch) > 1:
            middle = len(batch) // 2
            finish_all(batch[:middle], worker=worker)
            finish_all(batch[middle:], worker=worker)
            return
        logger.exception("the result of run %s cannot be stored", batch[0].run.id)
        with transaction.atomic():
            lifecycle.finish([unstorable(batch[0])], worker=worker)


def unstorable(finished: Finished) -> Finished:
    """The same attempt, failed for good, without what could not be stored."""
    outcome = Failed("protocol", "The answer holds text that cannot be stored.", retry=False)
    return settle(finished.run, outcome, started_at=finished.started_at, ended_at=finished.ended_at)
