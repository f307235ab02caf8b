"""What is dear to compute and asked for by many: kept in the cache that all web processes share, computed by one.

The cache may be emptied, or away, at any moment: everything is computed then, and nothing is lost.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# A cache that did not answer is not asked again for so long: each time a page would wait for its time-out.
QUIET_S = 5.0
# Whoever computes something has died when it is not there after so long; another one may.
LONGEST_S = 60

_quiet_until = 0.0


def recall(keys: Iterable[str]) -> dict[str, Any]:
    """Key → what was remembered (plain JSON), absent where nothing is."""
    found = _asked(lambda: cache.get_many(list(keys)), otherwise={})
    return {key: value for key, value in found.items() if value is not None}


def remember(values: Mapping[str, Any], seconds: int) -> None:
    """Keep plain JSON under these keys, for so long at the most."""
    if values:
        _asked(lambda: cache.set_many(dict(values), timeout=seconds), otherwise=None)


def take_turn(key: str) -> bool:
    """Whether it is on the caller to compute this, until `end_turn`. Without a cache it is everybody's turn."""
    return bool(_asked(lambda: cache.add(f"{key}:turn", 1, timeout=LONGEST_S), otherwise=True))


def end_turn(key: str) -> None:
    """Let the next one compute this."""
    _asked(lambda: cache.delete(f"{key}:turn"), otherwise=None)


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


def _asked(question: Callable[[], Any], *, otherwise: Any) -> Any:
    global _quiet_until  # noqa: PLW0603  what one request learns of the cache, the next need not find out
    if time.monotonic() < _quiet_until:
        return otherwise
    try:
        return question()
    except RedisError as error:
        _quiet_until = time.monotonic() + QUIET_S
        logger.warning("the cache cannot be asked, so everything is computed anew: %s", error)
        return otherwise
