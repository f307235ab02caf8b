"""Fetches the keys of a run: many at once, each tried again on its own, none holding back another."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime

from badgerjobs.lib.backoff import Retries
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.outcomes import BUG, Later
from badgerjobs.sources.fetch import fetch
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.results import Fetched, Unfetched
from tasks.syncs import books
from tasks.syncs.means import Means
from tasks.syncs.storing import store
from tasks.syncs.tries import Due, PutOff, Tried, settle

logger = logging.getLogger(__name__)

# So many keys of one run are fetched at once, and so many are read from the database in one go.
AT_ONCE = 100
BATCH = 500
# What was fetched is written down when it is so many keys or bytes, or after so long.
WRITE_AT_ONCE = 200
WRITE_BYTES = 8 * 1024 * 1024
WRITE_AFTER_S = 0.05
# How often it is looked for keys whose wait is over while others are being fetched.
LOOK_S = 1.0
# For a key that is due sooner the run keeps its slot: it is still running, and no other occurrence takes its place. So
# it is for all waits of the usual policy.
PATIENCE_S = 60.0


class Sync:
    """One stay of a run in this worker's hands."""

    def __init__(self, run: Claimed, policy: Retries, means: Means) -> None:
        self._run, self._policy, self._means = run, policy, means
        self._room = asyncio.Semaphore(AT_ONCE)
        self._in_hand: set[int] = set()  # from when a key is read until what came of it is written
        self._unbegun = 0
        self._moved = asyncio.Event()
        self._results: asyncio.Queue[Tried | PutOff] = asyncio.Queue()

    async def go(self) -> datetime | None:
        """Fetch what is due, until nothing is. Returns when the next key is; None when none is left.

        Cancelled, it drops what is being fetched: those keys are as they were.
        """
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(self._write())
            after = await self._fetch_all(group)
            writer.cancel()
        return after

    async def _fetch_all(self, group: asyncio.TaskGroup) -> datetime | None:
        while True:
            loaded = await self._load(group)
            if not self._in_hand:
                after = await self._means.ask(books.next_due, self._run)
                wait_s = (after - self._means.clock.now()).total_seconds() if after else 0.0
                if after is None or wait_s > PATIENCE_S:
                    return after
                await asyncio.sleep(wait_s)
            else:
                await self._until_there_is_room(more=loaded == BATCH)

    async def _load(self, group: asyncio.TaskGroup) -> int:
        """Begin with what is due and not in hand. Returns how many keys that are."""
        due, sources = await self._means.ask(
            books.take, self._run, self._in_hand, now=self._means.clock.now(), limit=BATCH
        )
        self._in_hand |= {one.key_id for one in due}
        self._unbegun += len(due)
        for one in due:
            group.create_task(self._fetch(one, sources))
        return len(due)

    async def _until_there_is_room(self, *, more: bool) -> None:
        """Wait until few that were read are left to begin with, if there are more; else for a while, or for all."""
        end = asyncio.get_running_loop().time() + LOOK_S
        while self._in_hand and not (more and self._unbegun <= AT_ONCE):
            self._moved.clear()
            try:
                async with asyncio.timeout_at(None if more else end):
                    await self._moved.wait()
            except TimeoutError:
                return

    async def _fetch(self, due: Due, sources: Mapping[int, DataSource]) -> None:
        async with self._room, self._means.rooms.one(self._run.workspace_id, self._run.application_id):
            self._unbegun -= 1
            self._moved.set()
            clock = self._means.clock
            started_at = clock.now()
            found = await self._found(due, sources[due.source_id], started_at)
            tried = settle(due, found, policy=self._policy, started_at=started_at, ended_at=clock.now())
        self._results.put_nowait(tried)

    async def _found(self, due: Due, source: DataSource, now: datetime) -> Fetched | Unfetched | Later:
        """What came of it. A bug fails this key, and no other."""
        try:
            return await fetch(source, due.variables, self._means.sources, now=now)
        except Exception:
            logger.exception("key %d of run %s raised", due.key_id, self._run.id)
            return Unfetched(BUG.error_class, BUG.error, None, retry=True, retry_after=None, duration_ms=0)

    async def _write(self) -> None:
        while True:
            batch = [await self._results.get()]
            if len(self._in_hand) > 1:
                await asyncio.sleep(WRITE_AFTER_S)
            size = batch[0].size
            while len(batch) < WRITE_AT_ONCE and size < WRITE_BYTES and not self._results.empty():
                batch.append(self._results.get_nowait())
                size += batch[-1].size
            await self._means.ask(store, self._run, batch)
            self._in_hand -= {one.due.key_id for one in batch}
            self._moved.set()
