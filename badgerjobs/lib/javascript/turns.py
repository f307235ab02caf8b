"""Whose call is next: tenants take turns, and parts of a tenant its turns. None has more than its share of places."""

from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class FullError(Exception):
    """No more may wait."""


class _Tenant(Generic[T]):
    """What waits of one tenant: a queue for each of its parts. An empty one is let go."""

    def __init__(self) -> None:
        self.parts: OrderedDict[Hashable, deque[T]] = OrderedDict()
        self.waiting = 0

    def put(self, part: Hashable, item: T) -> None:
        self.parts.setdefault(part, deque()).append(item)
        self.waiting += 1

    def take(self) -> T:
        part, queue = self.parts.popitem(last=False)
        item = queue.popleft()
        if queue:
            self.parts[part] = queue  # behind all others
        self.waiting -= 1
        return item

    def drop(self) -> T:
        """Take the last of the longest queue."""
        part = max(self.parts, key=lambda part: len(self.parts[part]))
        item = self.parts[part].pop()
        if not self.parts[part]:
            del self.parts[part]
        self.waiting -= 1
        return item

    def longest(self) -> int:
        return max((len(queue) for queue in self.parts.values()), default=0)


class Turns(Generic[T]):
    """Queues that are taken from in turn. At most `most` wait in all, and `each` of one tenant.

    Where there is no place left, whoever waits for less takes that of whoever waits for more: none can keep others out.
    """

    def __init__(self, *, most: int, each: int) -> None:
        self.most, self.each = most, each
        self._tenants: OrderedDict[Hashable, _Tenant[T]] = OrderedDict()
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def put(self, tenant: Hashable, item: T, *, part: Hashable = None) -> T | None:
        """Let it wait. Gives the one that lost its place to it. Raises FullError when it finds none."""
        own = self._tenants.get(tenant) or _Tenant()
        lost = self._make_place(own, part)
        self._tenants.setdefault(tenant, own).put(part, item)
        self._waiting += 1
        return lost

    def take(self) -> T:
        """Give the oldest of the part whose turn it is, of the tenant whose turn it is. Raises IndexError for none."""
        if not self._tenants:
            raise IndexError
        name, tenant = self._tenants.popitem(last=False)
        item = tenant.take()
        if tenant.waiting:
            self._tenants[name] = tenant  # behind all others
        self._waiting -= 1
        return item

    def empty(self) -> list[T]:
        """Take all that wait."""
        return [self.take() for _ in range(self._waiting)]

    def _make_place(self, own: _Tenant[T], part: Hashable) -> T | None:
        if self._waiting < self.most and own.waiting < self.each:
            return None
        loser = own
        if own.waiting < self.each:
            longest = max(self._tenants.values(), key=lambda tenant: tenant.waiting)
            if longest.waiting > own.waiting + 1:
                loser = longest
        if loser is own and own.longest() <= len(own.parts.get(part, ())) + 1:
            raise FullError
        self._waiting -= 1
        return loser.drop()
