"""At most so many calls at once to one host, so that one slow server cannot take them all.

A host that is full has a line. While it moves, one may wait in it; when it stands still it is kept short, and who comes
then is turned away with a time to come again. So hosts that hang cost what they have open, and nothing more.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from weakref import WeakKeyDictionary, WeakValueDictionary

from badgerjobs.outbound.appointments import Appointments

# A call that lasts longer than this is slow, and a line whose first has waited for longer stands still.
SLOW_S = 1.0
# Nobody waits in a line for longer.
PATIENCE_S = 5.0
# What may wait in all lines together, in bytes of bodies.
LINE_BYTES = 64 * 1024 * 1024


class HostFullError(Exception):
    """Turned away: this host has no room now, and its line is full. `wait_s`: in so many seconds there may be."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"full, for {wait_s:.1f} s at least")
        self.wait_s = wait_s


class _Host:
    """One host's calls: how many are under way, and who waits."""

    __slots__ = ("calls", "line")

    def __init__(self) -> None:
        self.calls = 0
        self.line: deque[Slot] = deque()


class Slots:
    """`each` calls at once to one host; fewer, down to a tenth, the more slow ones all hosts have together.

    Each host may have half as many calls as are left until `slow` calls are slow at once (four times `each` unless told
    otherwise): several hosts that hang never have all of it. As many may wait in all lines together.
    """

    def __init__(self, each: int, *, slow: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._each = each
        self._least = max(1, each // 10)
        self._most_slow = slow or 4 * each
        self._clock = clock
        self._hosts: dict[str, _Host] = {}
        self._appointments = Appointments()
        self._begun: deque[Slot] = deque()  # by when they began; those that lasted are counted and left out
        self._slow = self._waiting = self._waiting_bytes = 0

    def __len__(self) -> int:
        """How many hosts have calls under way or waiting."""
        return len(self._hosts)

    def calls(self, host: str) -> int:
        """How many calls of one host are under way or waiting."""
        found = self._hosts.get(host)
        return found.calls + len(found.line) if found else 0

    def of(self, host: str, *, size: int = 0, stays: bool = True) -> "Slot":
        """Give a context manager that waits until `host` may have one more call, of `size` bytes.

        One that does not stay is turned away rather than wait long: then it raises HostFullError.
        """
        return Slot(self, host, size, stays=stays)

    def come_again_in(self, host: str) -> float:
        """In how many seconds somebody who got no slot should come again."""
        return self._appointments.next(host, self._clock())

    def _limit(self, now: float) -> int:
        begun = self._begun
        while begun and (begun[0].is_over or begun[0].since <= now - SLOW_S):
            slot = begun.popleft()
            if not slot.is_over:
                slot.is_slow = True
                self._slow += 1
        return max(self._least, min(self._each, (self._most_slow - self._slow) // 2))

    def _has_place(self, host: _Host, size: int, now: float) -> bool:
        """Whether one more may wait for this host."""
        if self._waiting >= self._most_slow or self._waiting_bytes + size > LINE_BYTES:
            return False
        stands_still = bool(host.line) and now - host.line[0].since >= SLOW_S
        return not stands_still or len(host.line) < max(1, self._each // 4)

    def _begin(self, host: _Host, slot: "Slot", now: float) -> None:
        host.calls += 1
        slot.since, slot.has_begun = now, True
        self._begun.append(slot)

    def _end(self, name: str, host: _Host, slot: "Slot") -> None:
        slot.is_over = True
        host.calls -= 1
        if slot.is_slow:
            self._slow -= 1
        self._let_in(host)
        self._forget(name, host)

    def _let_in(self, host: _Host) -> None:
        now = self._clock()
        limit = self._limit(now)
        while host.line and host.calls < limit:
            slot = host.line.popleft()
            self._count(slot, -1)
            if slot.let_in():
                self._begin(host, slot, now)

    def _count(self, slot: "Slot", one: int) -> None:
        self._waiting += one
        self._waiting_bytes += one * slot.size

    def _forget(self, name: str, host: _Host) -> None:
        if not host.calls and not host.line:
            del self._hosts[name]


# By loop, then by how many each host has. They go with those that use them.
_SHARED: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[int, Slots]] = WeakKeyDictionary()


def slots_of_this_loop(each: int) -> Slots:
    """Those that everything shares on the running loop that gives a host `each`: its calls are counted once."""
    return _SHARED.setdefault(asyncio.get_running_loop(), WeakValueDictionary()).setdefault(each, Slots(each))


class Slot:
    """One call's place at its host. `since` is when it began to wait, then when it began."""

    __slots__ = ("_host", "_name", "_slots", "_stays", "_turn", "has_begun", "is_over", "is_slow", "since", "size")

    def __init__(self, slots: Slots, name: str, size: int, *, stays: bool) -> None:
        self._slots = slots
        self._name = name
        self._stays = stays
        self.size = size
        self.since = 0.0
        self.has_begun = self.is_over = self.is_slow = False

    async def __aenter__(self) -> bool:
        """Tell whether there was a wait. Raises HostFullError."""
        slots = self._slots
        now = slots._clock()
        host = slots._hosts.get(self._name)
        if host is None:
            host = slots._hosts[self._name] = _Host()
        self._host = host
        if not host.line and host.calls < slots._limit(now):
            slots._begin(host, self, now)
            return False
        if not self._stays and not slots._has_place(host, self.size, now):
            raise HostFullError(slots.come_again_in(self._name))
        await self._wait(host, now)
        return True

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._slots._end(self._name, self._host, self)

    async def _wait(self, host: _Host, now: float) -> None:
        slots = self._slots
        self.since = now
        self._turn = asyncio.get_running_loop().create_future()
        host.line.append(self)
        slots._count(self, 1)
        try:
            async with asyncio.timeout(None if self._stays else PATIENCE_S) as patience:
                await self._turn
        except BaseException as error:
            self._leave(host)
            if isinstance(error, TimeoutError) and patience.expired():
                raise HostFullError(slots.come_again_in(self._name)) from None
            raise

    def _leave(self, host: _Host) -> None:
        slots = self._slots
        if self.has_begun:  # its turn came in the same moment
            slots._end(self._name, host, self)
        elif self in host.line:
            host.line.remove(self)
            slots._count(self, -1)
            slots._forget(self._name, host)

    def let_in(self) -> bool:
        """It is this one's turn. False when nobody waits here any more."""
        if self._turn.done():
            return False
        self._turn.set_result(None)
        return True
