"""Performs the runs of a queue: one event loop in a thread of its own, as many runs in flight on it as there are slots.

Three loops share it: one claims what fits into the free slots, one writes down what ended, one says that we are alive
and learns what was aborted. Statements run in a few threads beside the loop, so that no run waits for the database.
"""

import asyncio
import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import Error

from badgerjobs.lib.time_limits import within
from badgerjobs.runs import fleet, lifecycle
from badgerjobs.runs.changes import Finished, PutOff
from badgerjobs.runs.claiming import CLAIM_S, Claims
from badgerjobs.runs.clock import Clock
from badgerjobs.runs.hands import Hands, InHand
from badgerjobs.runs.kinds import Claimed, kind_of
from badgerjobs.runs.outcomes import BUG, Done, Failed, Later, Outcome
from badgerjobs.runs.record import may_pass, write_down
from badgerjobs.runs.settle import settle
from badgerjobs.runs.statements import Statements
from badgerjobs.runs.turns import Most

logger = logging.getLogger(__name__)

THREADS = 3  # for statements: one for each of the three loops
POLL_S = 1.0  # what a lost ring costs at most
CLAIM_AT_ONCE = 100
CLAIM_AFTER_S = 0.02  # how long a free slot may wait for company
ASIDE_AFTER_S = 0.5  # how long a run has a slot; when it lasts longer, another one may begin beside it
ASIDE = 2  # so many times as many as there are slots
FLUSH_AT_ONCE = 200
FLUSH_AFTER_S = 0.01  # how long a result may wait for company
LOCKED_S = 0.2  # before a result is written again whose runnable was locked
STRAYS_S = 5.0  # how often it is looked for runs that are ours by the books alone
PAUSE_S = 1.0  # before the database is tried again


class Executor:
    """One worker process's share of the work. `ring` is called when more is queued than fits into our slots."""

    def __init__(
        self,
        *,
        worker: fleet.Identity,
        slots: int,
        ring: Callable[[], None],
        most: int | None = None,
        aside: int | None = None,
    ) -> None:
        self.worker = worker
        self.slots = slots
        self._slice = max(1, slots // 8)
        self.clock = Clock()
        self._ring = ring
        # Of one application at most half, of its workspace three quarters: if its endpoints hang, others have the rest.
        share = Most.of(slots)
        if most:
            share = Most(max(most, share.workspace), most)
        self._hands = Hands(slots, most=share, aside=ASIDE * slots if aside is None else aside)
        self._claims = Claims(worker=worker, clock=self.clock, most=self._hands.most)
        self._is_capped = False  # whether one has more queued than it may have here
        self._again_s: float | None = None  # how soon an application may begin more, that has a limit and work
        self._recording: set[UUID] = set()  # let go, and not written down yet
        self._strays: set[UUID] = set()  # ours by the books alone, when it was looked last
        self._strays_looked_for_at = time.monotonic()
        self._unsure = False  # whether a claim failed, and may have been made all the same
        self._shared: dict[str, Any] = {}
        self._statements = Statements(THREADS)
        self._thread = threading.Thread(target=self._live, name=worker.queue.value, daemon=True)
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

    def wind_down(self, seconds: float) -> None:
        """Claim no more, give what runs so many seconds to end, then hand the rest back. Returns at once."""
        self._patience = seconds
        with contextlib.suppress(RuntimeError):
            for event in (self._stopping, self._woken, self._freed, self._seen):
                self._loop.call_soon_threadsafe(event.set)

    def stop(self, seconds: float) -> None:
        """Wind down, and return when it is done."""
        self.wind_down(seconds)
        self._thread.join(seconds + 5)

    def _live(self) -> None:
        """Run the loop. A worker whose loop has ended by itself holds runs and performs none: so all of it ends."""
        try:
            asyncio.run(self._run())
        except BaseException:
            logger.critical("what performs the runs of %s has ended: this worker ends, too", self.worker.queue)
            os.kill(os.getpid(), signal.SIGTERM)
            raise

    # On the loop

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._woken, self._stopping, self._freed, self._seen = (asyncio.Event() for _ in range(4))
        self._books = asyncio.Lock()  # what the pulse learns of our runs must not be acted on after a newer claim
        self._results: asyncio.Queue[Finished | PutOff] = asyncio.Queue()
        self._patience = 0.0
        self._ready.set()
        async with contextlib.AsyncExitStack() as stack:
            self._stack = stack
            pulse = asyncio.create_task(self._keep(self._beat_pulse))
            flush = asyncio.create_task(self._keep(self._flush))
            await self._until_stopped()
            await self._drain(flush)
            async with self._books:  # not in the middle of a statement: it would bring our row back after we left
                pulse.cancel()
            flush.cancel()
            await asyncio.gather(pulse, flush, return_exceptions=True)
        with contextlib.suppress(Error):
            await self._statements.run(fleet.leave, self.worker)
        await self._statements.hang_up()

    async def _until_stopped(self) -> None:
        await self._seen.wait()  # nothing is claimed before our row is there: the claim would look like a dead worker's
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), min(POLL_S, self._again_s or POLL_S))
            self._woken.clear()
            try:
                await self._fill()
            except Exception:
                logger.exception("claiming failed; trying again in %s s", PAUSE_S)
                await asyncio.sleep(PAUSE_S)

    async def _fill(self) -> None:
        """Claim until nothing is left, a slice of the slots at a time: a claim costs as much for one row as for ten."""
        while not self._stopping.is_set():
            free = await self._free_slots()
            if self._stopping.is_set() or not free:  # we may have been told to stop while we waited for a slot
                continue
            asked = min(free, CLAIM_AT_ONCE)
            claimed = await self._claim(asked)
            if len(claimed) == asked:
                self._loop.run_in_executor(None, self._ring)  # there may be more: let another worker hear it too
                continue
            self._is_capped = self._hands.has_capped
            if not claimed or self._is_capped:
                return

    async def _free_slots(self) -> int:
        """How many: at once when it is a slice worth a claim, else after a moment, so that slow runs hold up none."""
        if self._hands.free < self._slice:
            self._freed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._freed.wait(), CLAIM_AFTER_S)
        return max(0, self._hands.free)

    async def _claim(self, limit: int) -> list[Claimed]:
        async with self._books:
            if self._unsure:
                held = [*self._hands, *self._recording]
                await self._statements.run(
                    within(CLAIM_S)(lifecycle.disown), held, worker=self.worker.id, now=self.clock.now()
                )
            self._unsure = True
            claimed, loaded, rooms = await self._statements.run(self._claims.take, limit, self._hands.held())
            self._unsure = False
            self._again_s = rooms.again_s
            # One that is in hand was rescued and came back to us, before we heard of it: that attempt goes on.
            begun = [run for run in claimed if run.id in loaded and run.id not in self._hands]
            for run in begun:
                shared = await self._open(run.kind)
                task = asyncio.create_task(self._perform(run, loaded[run.id], shared))
                is_counted = run.application_id in rooms.counted
                self._hands.take(run.id, InHand(run.workspace_id, run.application_id, task, is_counted=is_counted))
            if begun:
                self._loop.call_later(ASIDE_AFTER_S, self._set_aside, [run.id for run in begun])
        return claimed

    def _set_aside(self, run_ids: Iterable[UUID]) -> None:
        self._hands.set_aside(run_ids)
        self._use_room()

    async def _open(self, kind: str) -> Any:
        """What the runs of a kind share. A bug in making it fails them, like a bug of theirs, and is met again."""
        if kind not in self._shared:
            try:
                self._shared[kind] = await self._stack.enter_async_context(kind_of(kind).open())
            except Exception:
                logger.exception("runs of the kind %r cannot be performed", kind)
                return BUG
        return self._shared[kind]

    async def _perform(self, run: Claimed, work: Any, shared: Any) -> None:
        started_at, begun = self.clock.now(), time.monotonic()
        outcome: Outcome = BUG
        if work is not BUG and shared is not BUG:
            try:
                outcome = await kind_of(run.kind).perform(run, work, shared)
            except asyncio.CancelledError:
                if (task := asyncio.current_task()) and task.cancelling():
                    raise  # no longer ours: aborted, rescued, or handed back
                logger.exception("run %s cancelled itself", run.id)
            except Exception:
                logger.exception("run %s raised", run.id)
        # Measured apart from the clock, which is set again and again.
        ended_at = started_at + timedelta(seconds=time.monotonic() - begun)
        if isinstance(outcome, Later):
            self._results.put_nowait(PutOff(run, ended_at + timedelta(seconds=outcome.seconds), outcome.is_begun))
            return
        if not isinstance(outcome, Outcome):
            logger.error("run %s answered %r, which is no outcome", run.id, outcome)
            outcome = BUG
        put_off_at = outcome.began_at if isinstance(outcome, Done | Failed) else None
        began_at = min(started_at, put_off_at or started_at)
        self._results.put_nowait(settle(run, outcome, started_at=began_at, ended_at=ended_at))

    def _let_go(self, run_ids: Iterable[UUID]) -> bool:
        """Returns whether another run may begin for one of these, as soon as the books say that it is over."""
        is_counted = self._hands.drop(run_ids)
        self._use_room()
        return is_counted

    def _use_room(self) -> None:
        if self._is_capped:
            self._woken.set()
        if self._hands.free >= self._slice:
            self._freed.set()

    async def _flush(self) -> None:
        """Write down what ended: in small batches, so that a slow run never holds back the fast ones."""
        batch = [await self._results.get()]
        if len(self._hands) > 10:
            await asyncio.sleep(FLUSH_AFTER_S)
        while len(batch) < FLUSH_AT_ONCE and not self._results.empty():
            batch.append(self._results.get_nowait())
        ids = {ended.run.id for ended in batch}
        self._recording |= ids
        left = await self._record(batch, frees=self._let_go(ids))
        self._recording -= ids - {ended.run.id for ended in left}
        if left:
            self._loop.call_later(LOCKED_S, self._record_again, left)
        for _ in range(len(batch) - len(left)):
            self._results.task_done()

    def _record_again(self, left: Iterable[Finished]) -> None:
        for ended in left:
            self._results.put_nowait(ended)
            self._results.task_done()  # of the time before

    async def _record(self, batch: Sequence[Finished | PutOff], *, frees: bool) -> list[Finished]:
        """Never gives up on the database: results are kept until it takes them. Returns those to be given once more."""
        while True:
            try:
                recorded = await self._statements.run(write_down, batch, worker=self.worker.id)
            except Exception as error:
                if not may_pass(error):
                    logger.exception("a result can be written in no form, and is lost")
                    return []
                logger.exception("%d results cannot be written; trying again in %s s", len(batch), PAUSE_S)
            else:
                if recorded.queues or recorded.goes_on or frees:
                    self._woken.set()  # what waited for one of these may be claimed now
                return recorded.left
            await asyncio.sleep(PAUSE_S)

    async def _beat_pulse(self) -> None:
        """Say that we are alive, and stop the runs in our hands that are no longer ours."""
        async with self._books:
            lost = await self._statements.run(fleet.pulse, self.worker, list(self._hands))
            self._seen.set()
            for run_id in lost:
                if task := self._hands.task(run_id):
                    task.cancel()
            if self._let_go(lost):
                self._woken.set()
            if time.monotonic() - self._strays_looked_for_at >= STRAYS_S:
                await self._release_strays()
        await asyncio.sleep(fleet.PULSE_S)

    async def _release_strays(self) -> None:
        """Queue again what nobody performs: a claim was given up, and was made all the same, later than we asked."""
        self._strays_looked_for_at = time.monotonic()
        strays = await self._statements.run(fleet.strays, self.worker, [*self._hands, *self._recording])
        if again := strays & self._strays:
            await self._statements.run(
                within(CLAIM_S)(lifecycle.release),
                again,
                worker=self.worker.id,
                now=self.clock.now(),
                message=lifecycle.CLAIM_LOST,
            )
        self._strays = strays - again

    async def _keep(self, step: Callable[[], Any]) -> None:
        while True:
            try:
                await step()
            except Exception:
                logger.exception("%s failed; trying again in %s s", step.__name__, PAUSE_S)
                await asyncio.sleep(PAUSE_S)

    async def _drain(self, flush: asyncio.Task[None]) -> None:
        """Wait for what runs, then for the flush that writes its results; hand back what is left."""
        if len(self._hands):
            await asyncio.wait(self._hands.tasks, timeout=self._patience)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._results.join(), max(1.0, self._patience / 2))
        left, tasks = list(self._hands), self._hands.tasks
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        flush.cancel()
        with contextlib.suppress(Error):
            await self._statements.run(
                within(CLAIM_S)(lifecycle.release), left, worker=self.worker.id, now=self.clock.now()
            )
