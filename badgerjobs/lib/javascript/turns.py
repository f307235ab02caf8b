"""Whose call is next: each tenant in turn, and no tenant with more than its share of what may wait."""

from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class FullError(Exception):
    """No more may wait."""


class Turns(Generic[T]):
    """A queue for each tenant, taken from in turn. At most `most` wait in all, and `each` of one tenant."""

    def __init__(self, *, most: int, each: int) -> None:
        self.most, self.each = most, each
        self._queues: OrderedDict[Hashable, deque[T]] = OrderedDict()
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def put(self, tenant: Hashable, item: T) -> None:
        """Let it wait. Raises FullError."""
        queue = self._queues.get(tenant)
        if self._waiting >= self.most or (queue and len(queue) >= self.each):
            raise FullError
        self._queues.setdefault(tenant, deque()).append(item)
        self._waiting += 1

    def take(self) -> T:
        """Give the oldest of the tenant whose turn it is. Raises IndexError when nothing waits."""
        if not self._queues:
            raise IndexError
        tenant, queue = self._queues.popitem(last=False)
        item = queue.popleft()
        if queue:
            self._queues[tenant] = queue  # behind all others
        self._waiting -= 1
        return item

    def empty(self) -> list[T]:
        """Take all that wait."""
        return [self.take() for _ in range(self._waiting)]
