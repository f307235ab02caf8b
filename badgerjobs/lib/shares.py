"""Places that many share: so many in all, and so many of them for one owner. Who waits is let in by owners in turn."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Shares:
    """`most` places, `each` of them for one owner. For one event loop."""

    def __init__(self, most: int, each: int) -> None:
        self._free, self._each = most, each
        self._taken: Counter[Hashable] = Counter()
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    def taken(self, owner: Hashable) -> int:
        """How many one has."""
        return self._taken[owner]

    @asynccontextmanager
    async def one(self, owner: Hashable) -> AsyncIterator[None]:
        """A place of this owner's, as soon as there is one."""
        if self._free and self._taken[owner] < self._each and owner not in self._waiting:
            self._take(owner)
        else:
            await self._wait(owner)
        try:
            yield
        finally:
            self._give_back(owner)

    def _take(self, owner: Hashable) -> None:
        self._free -= 1
        self._taken[owner] += 1

    def _give_back(self, owner: Hashable) -> None:
        self._free += 1
        self._taken[owner] -= 1
        if not self._taken[owner]:
            del self._taken[owner]
        self._let_in()

    async def _wait(self, owner: Hashable) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it came in the same moment
                self._give_back(owner)
            raise

    def _let_in(self) -> None:
        while self._free and (owner := self._next()) is not None:
            line = self._waiting.pop(owner)
            turn = line.popleft()
            if line:
                self._waiting[owner] = line  # behind all others
            if not turn.done():
                self._take(owner)
                turn.set_result(None)

    def _next(self) -> Hashable:
        return next((owner for owner in self._waiting if self._taken[owner] < self._each), None)
