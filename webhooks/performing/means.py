"""What the runs of deliveries of one event loop share: threads for statements, and a hand that acts for many."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from django.db import DatabaseError, OperationalError
from psycopg.errors import QueryCanceled

from badgerjobs.lib.heavy import Heavy
from badgerjobs.lib.time_limits import NoAnswerError
from badgerjobs.runs.statements import Statements
from webhooks.performing.acting import Acted, Turn, act

# One does, one reads.
THREADS = 2
# So many runs are done together, about so many characters of what their acts are given, and so long one waits for
# company.
AT_ONCE = 100
GIVEN_AT_ONCE = 16_000_000
WAIT_S = 0.01
# So often a run is given the time of a batch for itself, before it fails: all others wait behind it.
TRIES = 2
# So many bytes of long bodies are read and in memory, of runs whose acts are given them.
BODIES = 32_000_000

Came = Sequence[Acted] | None


class TooLongError(DatabaseError):
    """What these runs are to do takes longer than a batch may."""


def act_in_time(turns: Sequence[Turn]) -> Mapping[UUID, Came]:
    """Do what they are to do. Raises TooLongError where that took too long: the same is not tried again for ever."""
    try:
        return act(turns)
    except OperationalError as error:
        if isinstance(error.__cause__, NoAnswerError | QueryCanceled):
            raise TooLongError(f"{len(turns)} runs of deliveries took too long") from error
        raise


class Room:
    """So many bytes at a time: who comes first is let in first, and one that has more than all of them comes alone."""

    def __init__(self, most: int) -> None:
        self._most = self._left = most
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def of(self, size: int) -> AsyncIterator[None]:
        """Wait for so many bytes, and have them."""
        size = min(size, self._most)
        async with self._turn:
            while self._left < size:
                self._freed.clear()
                await self._freed.wait()
            self._left -= size
        try:
            yield
        finally:
            self._left += size
            self._freed.set()


_Asked = tuple[Turn, asyncio.Future[Came]]


class Hand:
    """Takes turns and does them together. One batch after the other: of a run that came back, its last try is over."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._turns: asyncio.Queue[_Asked] = asyncio.Queue()

    async def do(self, turn: Turn) -> Came:
        """Wait until the acts of a run are done. Returns how they stand; None: its targets are held by others.

        Cancelled before they are begun, they are not. Raises TooLongError when they alone take too long.
        """
        came: asyncio.Future[Came] = asyncio.get_running_loop().create_future()
        self._turns.put_nowait((turn, came))
        return await came

    async def go_on(self) -> None:
        """Do them, until cancelled."""
        while True:
            batch = [await self._turns.get()]
            await asyncio.sleep(WAIT_S)
            given = batch[0][0].weight
            while len(batch) < AT_ONCE and given < GIVEN_AT_ONCE and not self._turns.empty():
                batch.append(self._turns.get_nowait())
                given += batch[-1][0].weight
            await self._do(batch)

    async def _do(self, batch: Sequence[_Asked], tries: int = TRIES) -> None:
        """What is refused, or takes too long, is halved until it stands alone: it is no fault of the others'."""
        waiting = [(turn, came) for turn, came in batch if not came.cancelled()]
        if not waiting:
            return
        try:
            found = await self._statements.insist(act_in_time, [turn for turn, _ in waiting])
        except Exception as error:
            if len(waiting) > 1:
                middle = len(waiting) // 2
                await self._do(waiting[:middle])
                await self._do(waiting[middle:])
            elif isinstance(error, TooLongError) and tries > 1:
                await self._do(waiting, tries - 1)
            elif not (came := waiting[0][1]).done():
                came.set_exception(error)
        else:
            for turn, came in waiting:
                if not came.done():
                    came.set_result(found[turn.run.id])


@dataclass(frozen=True, slots=True)
class Means:
    """`heavy` reads long bodies, for which there has to be `room`; `hand` does what was planned."""

    statements: Statements
    heavy: Heavy
    hand: Hand
    room: Room = field(default_factory=lambda: Room(BODIES))


@asynccontextmanager
async def open_means() -> AsyncIterator[Means]:
    """For one event loop."""
    statements, heavy = Statements(THREADS), Heavy()
    hand = Hand(statements)
    going_on = asyncio.create_task(hand.go_on())
    try:
        yield Means(statements, heavy, hand)
    finally:
        going_on.cancel()
        await asyncio.gather(going_on, return_exceptions=True)
        heavy.close()
        await statements.hang_up()
