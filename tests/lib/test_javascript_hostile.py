"""Code that means harm: each ends within its limit with a clear sentence, and others go on meanwhile."""

import asyncio
import os
import time
from collections import Counter

import pytest

from badgerjobs.lib import javascript
from badgerjobs.lib.javascript import Result
from badgerjobs.lib.javascript.host import own
from bench.hostile import BOMBS, TRICKS, Body, verdict
from tests.lib.sandbox_processes import descendants, parents, until

GREEDY = [body for body in BOMBS if "memory" in body.ends]


@pytest.mark.parametrize("body", TRICKS, ids=lambda body: body.name)
def test_a_trick_ends_as_it_must(body: Body) -> None:
    assert verdict(body, javascript.run(body.text, {}, tenant="mallory", timeout_s=5)) == ""


@pytest.mark.parametrize("body", BOMBS, ids=lambda body: body.name)
def test_a_bomb_is_stopped_within_its_limit(body: Body) -> None:
    result = javascript.run(body.text, {}, tenant="mallory", timeout_s=0.1)
    assert verdict(body, result) == ""
    assert result.seconds < 2  # 0.1 where the machine has nothing else to do


def test_without_a_word_the_limit_is_a_quarter_of_a_second() -> None:
    error = javascript.run("for (;;) {}", {}, tenant="mallory").error
    assert error
    assert error.message == "The body was stopped after 250 ms."


@pytest.mark.parametrize("body", [body for body in GREEDY if "thrown" not in body.ends], ids=lambda body: body.name)
def test_what_takes_memory_is_stopped_by_how_much_and_not_only_by_time(body: Body) -> None:
    error = javascript.run(body.text, {}, tenant="mallory", timeout_s=20, memory_bytes=24 * 2**20).error
    assert error
    assert (error.word, error.message) == ("memory", "The body was stopped: it took more than 24 MB of memory.")


def test_what_is_thrown_away_at_once_does_not_count_as_taken() -> None:
    body = "let n = 0; for (let i = 0; i < 100; i++) n += Array(1e4).fill().map((_, j) => ({j})).length; return n"
    assert javascript.run(body, {}, tenant="alice", timeout_s=20).value == 1_000_000


def test_tenants_go_on_while_one_of_them_does_nothing_but_harm() -> None:
    async def both() -> tuple[list[Result], list[float]]:
        harm = [asyncio.ensure_future(javascript.arun("for (;;) {}", {}, tenant="mallory")) for _ in range(8)]
        waits = []
        for number in range(4):
            start = time.monotonic()
            assert (await javascript.arun("return n", {"n": number}, tenant="alice", timeout_s=5)).value == number
            waits.append(time.monotonic() - start)
        assert not all(call.done() for call in harm)
        return await asyncio.gather(*harm), waits

    results, waits = asyncio.run(both())
    assert Counter(result.error.word for result in results if result.error) == {"timeout": 8}
    assert sorted(waits)[1] < 0.25 + 0.5  # its turn comes when the first of the running ones is stopped


def test_nothing_is_left_of_what_was_stopped() -> None:
    javascript.run("return 1", {}, tenant="alice", timeout_s=5)
    keeper = own.get().keeper
    assert keeper
    before = descendants(keeper.pid)
    for body in ("for (;;) {}", "throw null", "return 1"):
        javascript.run(body, {}, tenant="mallory")
    assert until(lambda: len(descendants(keeper.pid)) == own.get().slots)
    assert until(lambda: not before & set(parents())), "one that served a call is still there"
    assert own.get().keeper is keeper
    assert keeper.poll() is None
    assert os.getpid() in parents()
