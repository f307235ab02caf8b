"""Counting what somebody does within a window of time, in the cache all web processes share."""

import time

from django.core.cache import cache
from redis.exceptions import ResponseError


def count(name: str, window_s: int) -> int:
    """Count one more of `name` in the current window of so many seconds, and say how many that makes.

    Without the cache it says 1 each time: a limit that cannot be counted must not turn everybody away.
    """
    key, timeout = f"limit:{name}:{int(time.time()) // window_s}", 2 * window_s
    if cache.add(key, 1, timeout=timeout):
        return 1
    try:
        return cache.incr(key)
    except ValueError:  # the key expired between the two commands: a new window
        return 1
    except ResponseError:  # no number stands there
        cache.set(key, 1, timeout=timeout)
        return 1
