"""Heavy work beside a loop: one piece at a time, and the loop goes on between two."""

import asyncio
import threading

import pytest

from badgerjobs.lib.heavy import Heavy


async def counting(turns: list[int]) -> None:
    while True:
        turns[0] += 1
        await asyncio.sleep(0)


def test_one_piece_at_a_time_is_done_and_the_loop_turns_between_two() -> None:
    turns, seen, inside, most = [0], [], 0, 0
    lock = threading.Lock()

    def work() -> int:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        seen.append(turns[0])
        sum(range(50_000))
        with lock:
            inside -= 1
        return turns[0]

    async def story() -> list[int]:
        heavy = Heavy()
        counter = asyncio.create_task(counting(turns))
        done = await asyncio.gather(*(heavy.do(work) for _ in range(20)))
        counter.cancel()
        heavy.close()
        return done

    done = asyncio.run(story())
    assert most == 1
    assert len(done) == 20
    assert all(earlier < later for earlier, later in zip(done, seen[1:], strict=False))


def test_who_gives_up_leaves_its_turn_to_the_next_and_errors_come_back() -> None:
    entered, go_on = threading.Event(), threading.Event()

    def long() -> None:
        entered.set()
        go_on.wait(10)

    def wrong() -> None:
        raise ValueError("no")

    async def story() -> str:
        heavy = Heavy()
        first = asyncio.create_task(heavy.do(long))
        await asyncio.to_thread(entered.wait, 10)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        second = asyncio.create_task(heavy.do(wrong))
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(ValueError, match="no"):
            await second
        return await heavy.do(lambda: "done")

    assert asyncio.run(story()) == "done"
