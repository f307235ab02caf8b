"""Rows that a driver reads in a thread: in order, a few pieces ahead and no more, and what goes wrong is raised."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import aclosing

import pytest

from badgerjobs.sources.rows.pulls import Chunk
from badgerjobs.sources.rows.threads import READY, Give, read_in_thread
from tests.waiting import until


def taken(read: Callable[[Give], None], *, most: int | None = None, timeout_s: float = 60) -> list[Chunk]:
    """What comes of it: all, or the first so many."""

    async def take() -> list[Chunk]:
        found: list[Chunk] = []
        async with aclosing(read_in_thread(read, timeout_s)) as chunks:
            async for chunk in chunks:
                found.append(chunk)
                if len(found) == most:
                    break
        return found

    return asyncio.run(take())


def test_all_comes_in_its_order() -> None:
    def read(give: Give) -> None:
        for at in range(20):
            give(([at], 1))

    assert taken(read) == [([at], 1) for at in range(20)]


def test_what_goes_wrong_is_raised_after_what_came() -> None:
    def read(give: Give) -> None:
        give(([1], 1))
        raise LookupError("no such table")

    with pytest.raises(LookupError, match="no such table"):
        taken(read)


def test_nobody_reads_far_ahead_of_who_takes_and_who_stops_ends_it() -> None:
    given: list[int] = []
    over = threading.Event()

    def read(give: Give) -> None:
        try:
            while True:
                give(([len(given)], 1))
                given.append(1)
        finally:
            over.set()

    assert taken(read, most=3) == [([0], 1), ([1], 1), ([2], 1)]
    until(over.is_set)
    assert len(given) <= 3 + READY


def test_who_gives_nothing_is_waited_for_so_long_and_no_longer() -> None:
    released = threading.Event()

    def read(_: Give) -> None:
        released.wait(20)

    try:
        with pytest.raises(TimeoutError):
            taken(read, timeout_s=0.05)
    finally:
        released.set()
