"""What is dear to compute and asked for by many: kept in the cache that all web processes share, computed by one.

The cache may be emptied, or away (`spared_cache`), at any moment: everything is computed then, and nothing is lost.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.cache import cache

# Whoever computes something has died when it is not there after so long; another one may.
LONGEST_S = 60


def recall(keys: Iterable[str]) -> dict[str, Any]:
    """Key → what was remembered (plain JSON), absent where nothing is."""
    found = cache.get_many(list(keys))
    return {key: value for key, value in found.items() if value is not None}


def remember(values: Mapping[str, Any], seconds: int) -> None:
    """Keep plain JSON under these keys, for so long at the most."""
    if values:
        cache.set_many(dict(values), timeout=seconds)


def take_turn(key: str) -> bool:
    """Whether it is on the caller to compute this, until `end_turn`. Without a cache it is everybody's turn."""
    return cache.add(f"{key}:turn", 1, timeout=LONGEST_S)


def end_turn(key: str) -> None:
    """Let the next one compute this."""
    cache.delete(f"{key}:turn")


def shared(key: str, seconds: float, compute: Callable[[], Any], now: float) -> Any:
    """What `compute` gives, plain JSON, at most so many seconds old; `now` is a Unix time.

    One caller at a time computes it. Meanwhile the others get what was there before; the first ones of all, who find
    nothing, compute it themselves.
    """
    found = recall([key]).get(key)
    if found and found["at"] <= now < found["at"] + seconds:
        return found["is"]
    mine = take_turn(key)
    if found and not mine:
        return found["is"]
    try:
        value = compute()
        remember({key: {"at": now, "is": value}}, seconds=LONGEST_S)
    finally:
        if mine:
            end_turn(key)
    return value
