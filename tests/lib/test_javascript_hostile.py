"""Code that means harm: each ends within its limit with a clear sentence, and others go on meanwhile."""

from collections.abc import Iterator
from functools import partial

import pytest

from badgerjobs.lib import javascript
from badgerjobs.lib.javascript.host import Host
from badgerjobs.lib.javascript.results import Limits
from bench.hostile import BOMBS, TRICKS, Body, verdict
from tests.lib.sandbox_processes import call, descendants, parents, ready, submit
from tests.waiting import until

GREEDY = [body for body in BOMBS if "memory" in body.ends]
SHORT = Limits(0.05, 64 * 2**20, 1000)


@pytest.fixture
def host() -> Iterator[Host]:
    """A host of the test's own: it begins nothing until it is given slots."""
    made = Host(0)
    yield made
    made.close()


@pytest.mark.parametrize("body", TRICKS, ids=lambda body: body.name)
def test_a_trick_ends_as_it_must(body: Body) -> None:
    assert verdict(body, javascript.run(body.text, {}, tenant="mallory", timeout_s=5)) == ""


@pytest.mark.parametrize("body", BOMBS, ids=lambda body: body.name)
def test_a_bomb_is_stopped_within_its_limit(body: Body) -> None:
    result = javascript.run(body.text, {}, tenant="mallory", timeout_s=0.1)
    assert verdict(body, result) == ""
    assert result.error
    assert result.error.word != "timeout" or result.error.message.endswith(" was stopped after 100 ms.")


def test_without_a_word_the_limit_is_a_quarter_of_a_second() -> None:
    error = javascript.run("for (;;) {}", {}, tenant="mallory").error
    assert error
    assert error.message == "The code was stopped after 250 ms."


@pytest.mark.parametrize("body", [body for body in GREEDY if "thrown" not in body.ends], ids=lambda body: body.name)
def test_what_takes_memory_is_stopped_by_how_much_and_not_only_by_time(body: Body) -> None:
    error = javascript.run(body.text, {}, tenant="mallory", timeout_s=20, memory_bytes=24 * 2**20).error
    assert error
    assert (error.word, error.message) == ("memory", "The code was stopped: it took more than 24 MB of memory.")


def test_what_is_thrown_away_at_once_does_not_count_as_taken() -> None:
    body = "let n = 0; for (let i = 0; i < 100; i++) n += Array(1e4).fill().map((_, j) => ({j})).length; return n"
    assert javascript.run(body, {}, tenant="alice", timeout_s=20).value == 1_000_000


def _note(ended: list[str], tenant: str, _: object) -> None:
    ended.append(tenant)


def _is_gone(pid: int) -> bool:
    return pid not in parents()


def test_tenants_go_on_while_one_of_them_does_nothing_but_harm(host: Host) -> None:
    ended: list[str] = []
    calls = [("mallory", call("for (;;) {}", SHORT)) for _ in range(8)]
    calls += [("alice", call("return 1")) for _ in range(3)]
    for tenant, made in calls:
        made.result.add_done_callback(partial(_note, ended, tenant))
        host.submit(made, tenant=tenant)
    host.slots = 1
    host._hand_out()
    until(lambda: len(ended) == len(calls))
    assert ended == ["mallory", "alice"] * 3 + ["mallory"] * 5
    words = [result.error and result.error.word for result in (made.result.result(0) for _, made in calls)]
    assert words == ["timeout"] * 8 + [None] * 3


def test_nothing_is_left_of_what_was_stopped(host: Host) -> None:
    host.slots = 1
    sandbox = ready(host)
    keeper = host.keeper
    assert keeper
    for body in ("for (;;) {}", "throw null", "return 1"):
        served = sandbox
        submit(host, body, tenant="mallory", limits=SHORT).result.result(30)
        until(partial(_is_gone, served))
        sandbox = ready(host)
    assert descendants(keeper.pid) == {sandbox}
    assert (host.keeper, keeper.poll()) == (keeper, None)
