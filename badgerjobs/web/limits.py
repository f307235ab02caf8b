"""Counting what somebody does within a window of time, in the cache all web processes share."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from django.core.cache import cache

from badgerjobs.web.spared_cache import SparedCache, packed


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


@dataclass(frozen=True, slots=True)
class Limit:
    """So many of `name` in a window of so many seconds."""

    name: str
    most: int
    window_s: int = 1
    amount: int = 1


def first_passed(limits: Sequence[Limit]) -> Limit | None:
    """Count the `amount` of each in its own window, and give the first that this makes too many of; None for none.

    One short trip, for who asks thousands of times a second. What cannot be counted is let through.
    """
    commands, now = [], int(time.time())
    for one in limits:
        key = f"badgerjobs:limit:{one.name}:{one.window_s}:{now // one.window_s}".encode()
        commands.append(packed(b"SET", key, b"0", b"EX", b"%d" % (2 * one.window_s), b"NX"))
        commands.append(packed(b"INCRBY", key, b"%d" % one.amount))
    answers = cast("SparedCache", cache).exchange(b"".join(commands), len(commands)) or []
    counted = zip(limits, answers[1::2], strict=False)
    return next((one for one, made in counted if isinstance(made, int) and made > one.most), None)
