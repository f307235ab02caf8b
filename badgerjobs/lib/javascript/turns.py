"""Whose call is next: tenants take turns, and parts of a tenant its turns. None has more than its share of places."""

from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class FullError(Exception):
    """No more may wait."""


class _Queue(Generic[T]):
    """What waits of one part, and how many places each of it takes."""

    def __init__(self) -> None:
        self.items: deque[tuple[T, int]] = deque()
        self.places = 0

    def put(self, item: T, places: int) -> None:
        self.items.append((item, places))
        self.places += places

    def take(self, *, last: bool = False) -> tuple[T, int]:
        item, places = self.items.pop() if last else self.items.popleft()
        self.places -= places
        return item, places


class _Tenant(Generic[T]):
    """What waits of one tenant: a queue for each of its parts. An empty one is let go."""

    def __init__(self) -> None:
        self.parts: OrderedDict[Hashable, _Queue[T]] = OrderedDict()
        self.places = 0

    def put(self, part: Hashable, item: T, places: int) -> None:
        self.parts.setdefault(part, _Queue()).put(item, places)
        self.places += places

    def take(self) -> tuple[T, int]:
        part, queue = self.parts.popitem(last=False)
        item, places = queue.take()
        if queue.items:
            self.parts[part] = queue  # behind all others
        self.places -= places
        return item, places

    def drop(self) -> tuple[Hashable, T, int]:
        """Take the last of the longest queue."""
        part = max(self.parts, key=lambda part: self.parts[part].places)
        item, places = self.parts[part].take(last=True)
        if not self.parts[part].items:
            del self.parts[part]
        self.places -= places
        return part, item, places

    def longest(self) -> int:
        return max((queue.places for queue in self.parts.values()), default=0)

    def of(self, part: Hashable) -> int:
        """How many places this part has."""
        queue = self.parts.get(part)
        return queue.places if queue else 0


class Turns(Generic[T]):
    """Queues that are taken from in turn. There are `most` places in all, and `each` for one tenant.

    Where there is no place left, whoever waits for less takes those of whoever waits for more: none keeps others out.
    """

    def __init__(self, *, most: int, each: int) -> None:
        self.most, self.each = most, each
        self._tenants: OrderedDict[Hashable, _Tenant[T]] = OrderedDict()
        self._places = self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def put(self, tenant: Hashable, item: T, *, part: Hashable = None, places: int = 1) -> list[T]:
        """Let it wait in so many places. Gives those that lost theirs to it. Raises FullError when it finds none."""
        lost = self._make_room(tenant, part, places)
        self._add(tenant, part, item, places)
        return lost

    def take(self) -> T:
        """Give the oldest of the part whose turn it is, of the tenant whose turn it is. Raises IndexError for none."""
        if not self._tenants:
            raise IndexError
        name, tenant = self._tenants.popitem(last=False)
        item, places = tenant.take()
        if tenant.places:
            self._tenants[name] = tenant  # behind all others
        self._count(-1, -places)
        return item

    def empty(self) -> list[T]:
        """Take all that wait."""
        return [self.take() for _ in range(self._waiting)]

    def _add(self, tenant: Hashable, part: Hashable, item: T, places: int) -> None:
        self._tenants.setdefault(tenant, _Tenant()).put(part, item, places)
        self._count(1, places)

    def _count(self, waiting: int, places: int) -> None:
        self._waiting += waiting
        self._places += places

    def _make_room(self, tenant: Hashable, part: Hashable, places: int) -> list[T]:
        own: _Tenant[T] = self._tenants.get(tenant) or _Tenant()
        lost: list[tuple[Hashable, Hashable, T, int]] = []
        while self._places + places > self.most or own.places + places > self.each:
            try:
                loser = self._loser(tenant, own, part, places)
            except FullError:
                for one in reversed(lost):  # in vain
                    self._add(*one)
                raise
            lost.append((loser, *self._drop(loser)))
        return [item for _, _, item, _ in lost]

    def _loser(self, tenant: Hashable, own: _Tenant[T], part: Hashable, places: int) -> Hashable:
        """Which tenant has so many more places that it may lose some; the own one, if another part of it has them."""
        if own.places + places <= self.each:
            longest = max(self._tenants, key=lambda name: self._tenants[name].places)
            if self._tenants[longest].places > own.places + places:
                return longest
        if own.longest() <= own.of(part) + places:
            raise FullError
        return tenant

    def _drop(self, tenant: Hashable) -> tuple[Hashable, T, int]:
        """Take from it what waits last in its longest queue: its part, the item, and its places."""
        loser = self._tenants[tenant]
        part, item, places = loser.drop()
        if not loser.places:
            del self._tenants[tenant]
        self._count(-1, -places)
        return part, item, places
