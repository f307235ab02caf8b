"""Places that many share: who gets the next one."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from badgerjobs.lib.shares import Shares


async def turns(times: int = 20) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


class Story:
    """Who is let in, in order, and stays until told to go."""

    def __init__(self, shares: Shares) -> None:
        self.shares = shares
        self.inside: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.ends: dict[str, asyncio.Event] = {}

    async def comes(self, *names: str) -> None:
        """The first letter is the owner's, and what follows a dot a part of it."""
        for name in names:
            self.ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._stay(name))
        await turns()

    async def goes(self, name: str) -> None:
        self.ends[name].set()
        await turns()

    async def _stay(self, name: str) -> None:
        async with self.shares.one(name[0], name.partition(".")[2][:1]):
            self.inside.append(name)
            await self.ends[name].wait()


def test_an_owner_has_no_more_than_its_share_and_all_together_no_more_than_there_are() -> None:
    async def told() -> None:
        story = Story(Shares(3, 2))
        await story.comes("a1", "a2", "a3", "b1", "c1")
        assert story.inside == ["a1", "a2", "b1"]
        assert [story.shares.taken(owner) for owner in "abc"] == [2, 1, 0]
        await story.goes("b1")
        assert story.inside[3:] == ["c1"]
        await story.goes("a1")
        assert story.inside[4:] == ["a3"]
        for name in ("a2", "a3", "c1"):
            await story.goes(name)
        await story.comes("a4", "a5", "b2")
        assert story.inside[5:] == ["a4", "a5", "b2"]

    asyncio.run(told())


def test_owners_take_turns_however_many_of_one_wait() -> None:
    async def told() -> None:
        story = Story(Shares(1, 1))
        await story.comes("a1", "a2", "a3", "a4", "b1", "c1")
        for name in ("a1", "a2", "b1", "c1", "a3"):
            await story.goes(name)
        assert story.inside == ["a1", "a2", "b1", "c1", "a3", "a4"]

    asyncio.run(told())


def test_parts_of_an_owner_take_turns_and_share_what_it_may_have() -> None:
    async def told() -> None:
        story = Story(Shares(4, 3, 2))
        await story.comes("a.x1", "a.x2", "a.x3", "a.y1", "a.z1", "a.z2", "b", "c")
        assert story.inside == ["a.x1", "a.x2", "a.y1", "b"]
        await story.goes("a.x1")
        assert story.inside[4:] == ["a.x3"]
        await story.goes("a.y1")
        assert story.inside[5:] == ["c"]
        await story.goes("a.x2")
        await story.goes("b")
        await story.goes("c")
        assert story.inside[6:] == ["a.z1", "a.z2"]

    asyncio.run(told())


def test_who_gives_up_takes_no_place_with_it() -> None:
    async def told() -> None:
        story = Story(Shares(1, 1))
        await story.comes("a1", "a2", "a3")
        story.tasks["a2"].cancel()
        await turns()
        await story.goes("a1")
        assert story.inside == ["a1", "a3"]
        await story.goes("a3")
        async with AsyncExitStack() as stack:  # given up in the moment in which it is let in
            await stack.enter_async_context(story.shares.one("b"))
            late = asyncio.create_task(story._stay("none"))
            await turns()
            await stack.aclose()
            late.cancel()
        with pytest.raises(asyncio.CancelledError):
            await late
        await story.comes("c1")
        assert story.inside[2:] == ["c1"]

    asyncio.run(told())
