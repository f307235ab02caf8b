"""The cache, for whom it does not matter much: when it is away, it is as if nothing stood there."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError, ResponseError

T = TypeVar("T")

logger = logging.getLogger(__name__)

# A cache that did not answer is not asked again for so long: signing in asks it a dozen times, a page several times,
# and each would wait for its time-out.
QUIET_S = 5.0

_quiet_until = 0.0


class SparedCache(RedisCache):
    """Counts tries, holds short locks and remembers: nobody is kept from anything because it cannot be asked."""

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Whether nothing stood there; true without the cache."""
        return _spared(lambda: super(SparedCache, self).add(key, value, timeout, version), otherwise=True)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """What stands there, else the default."""
        return _spared(lambda: super(SparedCache, self).get(key, default, version), otherwise=default)

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        """Key → what stands there, absent where nothing does."""
        return _spared(lambda: super(SparedCache, self).get_many(keys, version), otherwise={})

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        """Put it there, if that can be done."""
        _spared(lambda: super(SparedCache, self).set(key, value, timeout, version), otherwise=None)

    def set_many(self, data: dict[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> list[Any]:
        """Put all of it there, if that can be done. Returns no keys, as RedisCache does."""
        return _spared(lambda: super(SparedCache, self).set_many(data, timeout, version), otherwise=[])

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """What it counts up to; `delta` without the cache.

        Raises ValueError where nothing stands, and ResponseError where no number does: that is an answer.
        """
        return _spared(lambda: super(SparedCache, self).incr(key, delta, version), otherwise=delta, told=ResponseError)

    def count_up(self, key: Any, amount: int, timeout: int, version: int | None = None) -> int:
        """How many stand there with so many more: in one trip. They are gone so many seconds after the first.

        `amount` without the cache. Raises ResponseError where no number stands: that is an answer.
        """
        named = self.make_and_validate_key(key, version=version)

        def counted() -> int:
            both = self._cache.get_client(named, write=True).pipeline()
            both.set(named, 0, ex=timeout, nx=True)
            both.incrby(named, amount)
            return int(both.execute()[1])

        return _spared(counted, otherwise=amount, told=ResponseError)

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Whether something stood there."""
        return _spared(lambda: super(SparedCache, self).delete(key, version), otherwise=False)


def _spared(ask: Callable[[], T], *, otherwise: T, told: type[Exception] | tuple[()] = ()) -> T:
    """The answer, or what holds without one. Exceptions of the kind `told` are answers too: the caller gets them."""
    global _quiet_until  # noqa: PLW0603  what one request learns of the cache, the next need not find out
    if time.monotonic() < _quiet_until:
        return otherwise
    try:
        return ask()
    except told:
        raise
    except RedisError as error:
        _quiet_until = time.monotonic() + QUIET_S
        logger.warning("the cache cannot be asked: nothing is counted, all is computed anew: %s", error)
        return otherwise
