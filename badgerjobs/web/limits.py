"""Counting what somebody does within a window of time, in the cache all web processes share."""

import time
from collections.abc import Sequence

from django.core.cache import cache


def count(name: str, window_s: int, amount: int = 1) -> int:
    """Count so many more of `name` in the current window of so many seconds, and say how many that makes."""
    return count_all([name], window_s, amount)[0]


def count_all(names: Sequence[str], window_s: int, amount: int = 1) -> list[int]:
    """Count so many more of each, and say how many that makes of each.

    However many they are, the cache is asked once. Without it only these are counted: a limit that cannot be counted
    must not turn everybody away.
    """
    window, timeout = int(time.time()) // window_s, 2 * window_s
    keys = [f"limit:{name}:{window}" for name in names]
    counted: list[int | None] = cache.count_up(keys, amount, timeout)  # type: ignore[attr-defined]  # SparedCache
    return [
        _begun(key, amount, timeout) if so_far is None else so_far for key, so_far in zip(keys, counted, strict=True)
    ]


def _begun(key: str, amount: int, timeout: int) -> int:
    """No number stands there: begin anew with one."""
    cache.set(key, amount, timeout=timeout)
    return amount
