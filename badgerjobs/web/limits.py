"""Counting what somebody does within a window of time, in the cache all web processes share."""

import time

from django.core.cache import cache
from redis.exceptions import ResponseError


def count(name: str, window_s: int, amount: int = 1) -> int:
    """Count so many more of `name` in the current window of so many seconds, and say how many that makes.

    However many they are, the cache is asked once. Without it only these are counted: a limit that cannot be counted
    must not turn everybody away.
    """
    key, timeout = f"limit:{name}:{int(time.time()) // window_s}", 2 * window_s
    try:
        counted: int = cache.count_up(key, amount, timeout)  # type: ignore[attr-defined]  # SparedCache
    except ResponseError:  # no number stands there
        cache.set(key, amount, timeout=timeout)
        return amount
    return counted
