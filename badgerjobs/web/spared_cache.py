"""The cache, for whom it does not matter much: when it is away, it is as if nothing stood there."""

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

T = TypeVar("T")

logger = logging.getLogger(__name__)

# A cache that did not answer is not asked again for so long: signing in asks it a dozen times.
QUIET_S = 5.0

_quiet_until = 0.0


class SparedCache(RedisCache):
    """Counts tries and holds short locks: nobody is kept from signing in because nothing can be counted.

    `incr` still raises RedisError: who counts by it knows what to do.
    """

    def add(self, key: Any, value: Any, timeout: Any = 0, version: int | None = None) -> bool:
        """Whether nothing stood there; true without the cache."""
        return _spared(lambda: super(SparedCache, self).add(key, value, timeout, version), otherwise=True)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """What stands there, else the default."""
        return _spared(lambda: super(SparedCache, self).get(key, default, version), otherwise=default)

    def set(self, key: Any, value: Any, timeout: Any = 0, version: int | None = None) -> None:
        """Put it there, if that can be done."""
        _spared(lambda: super(SparedCache, self).set(key, value, timeout, version), otherwise=None)

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Whether something stood there."""
        return _spared(lambda: super(SparedCache, self).delete(key, version), otherwise=False)


def _spared(ask: Callable[[], T], *, otherwise: T) -> T:
    global _quiet_until  # noqa: PLW0603  what one request learns of the cache, the next need not find out
    if time.monotonic() < _quiet_until:
        return otherwise
    try:
        return ask()
    except RedisError as error:
        _quiet_until = time.monotonic() + QUIET_S
        logger.warning("tries cannot be counted: %s", error)
        return otherwise
