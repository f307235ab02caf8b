"""Places that many share: so many in all, so many of them for one owner, and so many of these for one part of it.

Who waits is let in by owners in turn, and by parts of an owner in turn.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

Line = deque[asyncio.Future[None]]


class Shares:
    """`most` places, `each` of them for one owner, and `part` of these for one part of it. For one event loop."""

    def __init__(self, most: int, each: int, part: int | None = None) -> None:
        self._free, self._each, self._part = most, each, each if part is None else part
        self._taken: Counter[Hashable] = Counter()
        self._of_parts: Counter[tuple[Hashable, Hashable]] = Counter()
        self._waiting: OrderedDict[Hashable, OrderedDict[Hashable, Line]] = OrderedDict()

    def taken(self, owner: Hashable) -> int:
        """How many one has."""
        return self._taken[owner]

    @asynccontextmanager
    async def one(self, owner: Hashable, part: Hashable = None) -> AsyncIterator[None]:
        """A place of this owner's, as soon as there is one."""
        if self._free and self._may(owner, part) and part not in self._waiting.get(owner, ()):
            self._take(owner, part)
        else:
            await self._wait(owner, part)
        try:
            yield
        finally:
            self._give_back(owner, part)

    def _may(self, owner: Hashable, part: Hashable) -> bool:
        return self._taken[owner] < self._each and self._of_parts[owner, part] < self._part

    def _take(self, owner: Hashable, part: Hashable) -> None:
        self._free -= 1
        self._taken[owner] += 1
        self._of_parts[owner, part] += 1

    def _give_back(self, owner: Hashable, part: Hashable) -> None:
        self._free += 1
        self._taken[owner] -= 1
        self._of_parts[owner, part] -= 1
        if not self._taken[owner]:
            del self._taken[owner]
        if not self._of_parts[owner, part]:
            del self._of_parts[owner, part]
        self._let_in()

    async def _wait(self, owner: Hashable, part: Hashable) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, OrderedDict()).setdefault(part, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it came in the same moment
                self._give_back(owner, part)
            raise

    def _let_in(self) -> None:
        while self._free and (found := self._next()) is not None:
            turn = self._called(*found)
            if not turn.done():
                self._take(*found)
                turn.set_result(None)

    def _next(self) -> tuple[Hashable, Hashable] | None:
        """Whose turn it is, of those that may have one more."""
        lines = ((owner, part) for owner, parts in self._waiting.items() for part in parts)
        return next((found for found in lines if self._may(*found)), None)

    def _called(self, owner: Hashable, part: Hashable) -> asyncio.Future[None]:
        """The first of its line. The others of it, and of its owner, stand behind all others."""
        parts = self._waiting.pop(owner)
        line = parts.pop(part)
        turn = line.popleft()
        if line:
            parts[part] = line
        if parts:
            self._waiting[owner] = parts
        return turn
