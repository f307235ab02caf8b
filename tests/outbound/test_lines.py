"""Who waits for a host that is full, who is turned away, and how much hosts that hang may have."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from badgerjobs.outbound import slots as slots_module
from badgerjobs.outbound.appointments import FORGET_S, LEAST_S, MOST_S, PER_SECOND, Appointments
from badgerjobs.outbound.client import Call, HostBusy
from badgerjobs.outbound.slots import LINE_BYTES, SLOW_S, HostFullError, Slots
from tests.outbound.hostile import client_for, serving


class Clock:
    """A steady clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Calls:
    """Calls that last until they are told to end."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.inside: list[str] = []
        self.turned_away: list[float] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._end = asyncio.Event()

    async def begin(self, host: str, count: int = 1, size: int = 0, *, stays: bool = False) -> None:
        self.tasks += [asyncio.create_task(self._call(host, size, stays)) for _ in range(count)]
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def _call(self, host: str, size: int, stays: bool) -> None:
        try:
            async with self.slots.of(host, size=size, stays=stays):
                self.inside.append(host)
                try:
                    await self._end.wait()
                finally:
                    self.inside.remove(host)
        except HostFullError as full:
            self.turned_away.append(full.wait_s)

    async def end(self) -> None:
        self._end.set()
        await asyncio.gather(*self.tasks)
        assert len(self.slots) == 0
        assert (self.slots._slow, self.slots._waiting, self.slots._waiting_bytes) == (0, 0, 0)


def run(calls: Coroutine[Any, Any, None]) -> None:
    asyncio.run(calls)


def test_while_a_line_moves_one_may_wait_in_it() -> None:
    async def calls() -> None:
        made = Calls(Slots(4, clock=Clock()))
        await made.begin("a", 10)
        assert len(made.inside) == 4
        assert made.turned_away == []
        await made.end()

    run(calls())


def test_a_line_that_stands_still_is_kept_short() -> None:
    async def calls() -> None:
        clock = Clock()
        made = Calls(Slots(8, clock=clock))
        await made.begin("a", 9)
        clock.now = SLOW_S
        await made.begin("a", 5)
        # A quarter of eight may wait.
        assert len(made.turned_away) == 4
        await made.begin("b", 1)
        assert made.inside.count("b") == 1
        await made.end()

    run(calls())


def test_who_is_on_the_way_already_is_never_turned_away() -> None:
    async def calls() -> None:
        clock = Clock()
        made = Calls(Slots(1, clock=clock))
        await made.begin("a", 2)
        clock.now = 10
        await made.begin("a", 5, stays=True)
        assert made.turned_away == []
        await made.end()

    run(calls())


@pytest.mark.parametrize(("count", "size"), [(30, 0), (3, LINE_BYTES // 2)])
def test_lines_hold_so_many_calls_and_bytes_and_no_more(count: int, size: int) -> None:
    async def calls() -> None:
        made = Calls(Slots(4, clock=Clock()))
        await made.begin("a", 4)
        await made.begin("a", count, size)
        assert len(made.turned_away) == (count - 16 if not size else 1)
        await made.end()

    run(calls())


def test_nobody_stands_in_a_line_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots_module, "PATIENCE_S", 0.01)

    async def calls() -> None:
        made = Calls(Slots(1))
        await made.begin("a", 3)
        await asyncio.wait(made.tasks[1:], timeout=5)
        assert len(made.turned_away) == 2
        assert made.inside == ["a"]
        await made.end()

    run(calls())


def test_a_call_that_is_cancelled_as_its_turn_comes_passes_it_on() -> None:
    async def calls() -> None:
        slots, order = Slots(1, clock=Clock()), []

        async def call(name: str) -> None:
            async with slots.of("a"):
                order.append(name)

        async with slots.of("a"):
            waiting = [asyncio.create_task(call(name)) for name in "xyz"]
            await asyncio.sleep(0)
        # The slot is x's now, and x has not run yet.
        waiting[0].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert order == ["y", "z"]
        assert len(slots) == 0

    run(calls())


def test_hosts_that_hang_leave_room_for_each_other_and_for_those_that_do_not() -> None:
    async def calls() -> None:
        clock = Clock()
        made = Calls(Slots(100, clock=clock))
        for host in range(20):
            await made.begin(f"hanging-{host}", 200)
            clock.now += SLOW_S
        had = [made.inside.count(f"hanging-{host}") for host in range(20)]
        assert had[0] == 100
        assert had == sorted(had, reverse=True)
        assert min(had) == 10
        assert sum(had) < 600
        await made.begin("well", 50)
        assert made.inside.count("well") == 10
        await made.end()

    run(calls())


def test_when_slow_calls_end_there_is_room_for_all_again() -> None:
    async def calls() -> None:
        clock = Clock()
        slots = Slots(10, clock=clock)
        slow = Calls(slots)
        for host in "abcd":
            await slow.begin(host, 10)
        clock.now = SLOW_S
        made = Calls(slots)
        await made.begin("well", 5)
        assert len(made.inside) == 1
        slow._end.set()
        await slow.settle()
        await made.begin("other", 10)
        assert made.inside.count("other") == 10
        await made.end()

    run(calls())


def test_the_first_who_is_turned_away_comes_again_after_a_second_and_a_pile_bit_by_bit() -> None:
    book = Appointments()
    waits = [book.next("a", 0.0) for _ in range(5000)]
    assert waits[0] == pytest.approx(LEAST_S, abs=0.02)
    assert waits == sorted(waits)
    assert waits[-1] == pytest.approx(5000 / PER_SECOND, rel=0.05)
    assert book.next("b", 0.0) == pytest.approx(LEAST_S, abs=0.02)


def test_a_pile_of_a_hundred_thousand_is_not_kept_away_for_ever_nor_comes_at_once() -> None:
    book = Appointments()
    waits = [book.next("a", 0.0) for _ in range(100_000)]
    assert max(waits) <= MOST_S
    last = sorted(waits[90_000:])
    assert last[0] < 0.6 * MOST_S
    assert last[-1] > 0.9 * MOST_S


def test_the_wait_grows_while_a_host_stays_full_and_not_beyond_its_limit() -> None:
    book = Appointments()
    book.next("a", 0.0)
    grown = [book.next("a", at) for at in range(10, 2000, 10)]
    assert all(at / 2 <= wait <= at + LEAST_S for at, wait in zip(range(10, 900, 10), grown, strict=False))
    assert max(grown) <= MOST_S


def test_a_host_that_turned_nobody_away_for_a_while_is_well_again() -> None:
    book = Appointments()
    for at in range(0, 300, 10):
        book.next("a", float(at))
    assert book.next("a", 290 + FORGET_S + 1) == pytest.approx(LEAST_S, abs=0.02)


def test_no_more_hosts_are_remembered_than_were_full_lately() -> None:
    book = Appointments()
    for number in range(1500):
        book.next(f"host-{number}", float(number))
    assert len(book._hosts) < 1100


def test_a_call_whose_host_has_no_room_says_that_it_was_not_made_and_when_to_come() -> None:
    async def calls() -> None:
        arrived = asyncio.Event()

        async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            arrived.set()
            await reader.read()

        async with serving(silent) as server, client_for(server, host_slots=1) as client:
            under_way = asyncio.create_task(client.send(Call("GET", server.url)))
            await arrived.wait()
            with pytest.raises(HostBusy) as busy:
                await client.send(Call("GET", server.url, timeout_s=0.05))
            assert busy.value.wait_s >= LEAST_S
            assert busy.value.duration_ms == 0
            under_way.cancel()
            with pytest.raises(asyncio.CancelledError):
                await under_way

    run(calls())
