"""Counting what somebody does within a window of time, in the cache all web processes share."""

import logging
import time

from django.core.cache import cache
from redis.exceptions import RedisError, ResponseError

logger = logging.getLogger(__name__)

# A cache that did not answer is not asked again for so long: each time a request would wait for its time-out.
QUIET_S = 5.0

_quiet_until = 0.0


def count(name: str, window_s: int) -> int:
    """Count one more of `name` in the current window of so many seconds, and say how many that makes.

    Without the cache it says 0: a limit that cannot be counted must not turn everybody away.
    """
    global _quiet_until  # noqa: PLW0603  what one request learns of the cache, the next need not find out
    if time.monotonic() < _quiet_until:
        return 0
    key = f"limit:{name}:{int(time.time()) // window_s}"
    try:
        return _counted(key, timeout=2 * window_s)
    except ValueError:  # the key expired between the two commands: a new window
        return 1
    except RedisError as error:
        _quiet_until = time.monotonic() + QUIET_S
        logger.warning("the limit %s cannot be counted: %s", name.partition(":")[0], error)
        return 0


def _counted(key: str, timeout: int) -> int:
    """Raises ValueError when the key expires meanwhile, and RedisError when the cache cannot count."""
    if cache.add(key, 1, timeout=timeout):
        return 1
    try:
        return cache.incr(key)
    except ResponseError:  # no number stands there: the cache answered, so it is not away
        cache.set(key, 1, timeout=timeout)
        return 1
