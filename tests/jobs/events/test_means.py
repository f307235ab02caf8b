"""Places at a server: taken before it is connected to, and before the time of an attempt begins."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from django.test import override_settings

from badgerjobs.notices import perform as notices
from badgerjobs.outbound import slots
from badgerjobs.outbound.client import Call, Client
from badgerjobs.outbound.names import Resolver
from badgerjobs.outbound.slots import Slots
from badgerjobs.runs.outcomes import Done, Later, Outcome
from badgerjobs.web.outgoing import open_client
from jobs.events import means as means_type
from jobs.events.means import ALL, EACH, THREADS, THREADS_EACH, Means, open_means, server_of
from jobs.events.perform import performed
from tests.jobs.events.performing import WORKSPACE, occasion
from tests.outbound.hostile import OK, serving
from tests.stand_ins import MailServer, Silent
from tests.waiting import until

HOST = "server.example.com"
# Each speaks to its server in a way of its own: on the loop, or in a thread.
SPEAKING: dict[str, tuple[str, dict[str, Any], str, dict[str, Any]]] = {
    "a statement": ("DATABASE_ACTION", {"statement": "SELECT 1"}, "DATABASE", {"database": "shop", "tls": "none"}),
    "an entry": ("MESSAGEBROKER", {"to": "stream", "name": "s"}, "BROKER", {"protocol": "redis", "tls": "none"}),
    "a message": ("MESSAGEBROKER", {"to": "queue", "name": "q"}, "BROKER", {"protocol": "amqp", "tls": "none"}),
    "a mail": (
        "NOTIFICATION",
        {"channel": "email", "to": ["a@example.com"], "subject": "x", "text": "x"},
        "SMTP",
        {"security": "none", "sender": "shop@example.com"},
    ),
}
each_of_them = pytest.mark.parametrize("speaking", SPEAKING.values(), ids=SPEAKING)


async def _on_loopback(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


@asynccontextmanager
async def means_of(**changes: Any) -> Any:
    with override_settings(EGRESS_ALLOW=["127.0.0.1"]):
        async with open_means() as means:
            yield replace(means, resolver=Resolver(_on_loopback), **changes)


def server_at(port: int) -> str:
    return server_of({"host": HOST, "port": port}, WORKSPACE)


def attempt(speaking: Any, port: int, means: Means, *, timeout_s: float) -> Awaitable[Outcome]:
    kind, configuration, connection_type, connection = speaking
    what = occasion(kind, configuration, (connection_type, {"host": HOST, "port": port, **connection}), 1)
    return performed(kind, replace(what, configuration={**what.configuration, "timeout": timeout_s}), means)


@each_of_them
def test_an_attempt_without_a_place_is_put_off_and_connects_to_nobody(
    monkeypatch: pytest.MonkeyPatch, speaking: Any
) -> None:
    """Waiting for it takes nothing of the attempt's own time, which would be over at once."""
    monkeypatch.setattr(slots, "PATIENCE_S", 0.01)

    async def crowded(port: int) -> Outcome:
        async with means_of(slots=Slots(1)) as means, means.slots.of(server_at(port)):
            return await attempt(speaking, port, means, timeout_s=-10)

    with Silent() as server:
        assert isinstance(asyncio.run(crowded(server.port)), Later)
        assert server.opened == 0


@each_of_them
def test_no_more_than_so_many_are_connected_to_one_server_at_once(speaking: Any) -> None:
    async def at_once(server: Silent) -> tuple[int, int]:
        async with means_of() as means:
            attempts = [asyncio.ensure_future(attempt(speaking, server.port, means, timeout_s=60)) for _ in range(9)]
            own = server_at(server.port)

            def under_way() -> int:
                counted: list[int] = [means.slots.calls(own), means.shares.calls(str(WORKSPACE))]
                return max(counted)

            await _until(lambda: under_way() == 9 and server.opened >= EACH)
            opened = server.opened
            await cancelled(attempts)
            # Threads notice that their lines are cut, and leave.
            await _until(lambda: not under_way())
            return opened, server.opened

    with Silent() as server:
        assert asyncio.run(at_once(server)) == (EACH, EACH)


def test_a_thread_that_goes_on_holds_its_place() -> None:
    async def hanging(port: int) -> list[int]:
        def places(means: Means) -> list[int]:
            return [means.slots.calls(server_at(port)), means.shares.calls(str(WORKSPACE)), means.free.calls(ALL)]

        async with means_of() as means:
            loop, begun = asyncio.get_running_loop(), asyncio.Event()
            goes_on = asyncio.Event()

            def work() -> None:
                loop.call_soon_threadsafe(begun.set)
                asyncio.run_coroutine_threadsafe(goes_on.wait(), loop).result(20)

            async def speak() -> None:
                async with means.turn({"host": HOST, "port": port}, 60, workspace=WORKSPACE, blocks=True) as turn:
                    await turn.in_thread(work)

            speaking = asyncio.create_task(speak())
            await begun.wait()
            speaking.cancel()
            await asyncio.wait([speaking])
            held = places(means)
            goes_on.set()
            await _until(lambda: not any(places(means)))
            return held

    with Silent() as server:
        assert asyncio.run(hanging(server.port)) == [1, 1, 1]


def mail_to(port: int, means: Means, *, host: str, workspace: int = WORKSPACE) -> Awaitable[Outcome]:
    kind, configuration, connection_type, connection = SPEAKING["a mail"]
    what = occasion(kind, configuration, (connection_type, {"host": host, "port": port, **connection}), 1)
    return performed(kind, replace(what, workspace=workspace), means)


def test_a_workspace_whose_servers_hang_leaves_threads_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds its own part of them taken is put off, and so uses up no attempt."""
    monkeypatch.setattr(slots, "PATIENCE_S", 0.01)

    async def beside(silent: Silent, good: MailServer) -> tuple[list[Outcome], int, Outcome]:
        shares = Slots(THREADS_EACH, slow=THREADS, clock=lambda: 0)
        async with means_of(shares=shares) as means:
            hosts = [f"mail{number}.example.com" for number in range(THREADS)]
            attempts = [asyncio.ensure_future(mail_to(silent.port, means, host=host)) for host in hosts]
            await _until(lambda: silent.opened + sum(one.done() for one in attempts) == THREADS)
            put_off = [one.result() for one in attempts if one.done()]
            other = await mail_to(good.port, means, host="good.example.org", workspace=WORKSPACE + 1)
            await cancelled(attempts)
            return put_off, silent.opened, other

    with Silent() as silent, MailServer() as good:
        put_off, opened, other = asyncio.run(beside(silent, good))
    assert isinstance(other, Done)
    assert (opened, len(put_off)) == (THREADS_EACH, THREADS - THREADS_EACH)
    assert all(isinstance(one, Later) for one in put_off)


def test_workspaces_whose_servers_hang_have_fewer_threads_the_more_they_are() -> None:
    now = 0.0

    async def hanging() -> list[int]:
        nonlocal now
        _, shares, _ = means_type._slots()
        shares._clock = lambda: now
        counts = []
        async with AsyncExitStack() as held:
            for workspace in range(5):
                with suppress(TimeoutError):
                    while True:
                        async with asyncio.timeout(0):
                            await held.enter_async_context(shares.of(str(workspace)))
                counts.append(shares.calls(str(workspace)))
                now += 2
        return counts

    assert asyncio.run(hanging()) == [6, 5, 2, 1, 1]


@each_of_them
def test_who_needs_a_thread_and_finds_none_is_put_off_and_connects_to_nobody(
    monkeypatch: pytest.MonkeyPatch, speaking: Any
) -> None:
    """Others do not need one."""
    monkeypatch.setattr(slots, "PATIENCE_S", 0.01)

    async def crowded(server: Silent) -> tuple[Outcome | None, int]:
        async with means_of(free=Slots(1)) as means, means.free.of(ALL):
            one = asyncio.ensure_future(attempt(speaking, server.port, means, timeout_s=60))
            await _until(lambda: one.done() or server.opened)
            came = one.result() if one.done() else None
            await cancelled([one])
            return came, server.opened

    with Silent() as server:
        came, opened = asyncio.run(crowded(server))
    blocks = speaking in (SPEAKING["a mail"], SPEAKING["a message"])
    assert (isinstance(came, Later), opened) == ((True, 0) if blocks else (False, 1))


@pytest.mark.parametrize(
    ("port", "workspace"), [(1, WORKSPACE), (0, WORKSPACE + 1)], ids=["another port", "another workspace"]
)
def test_a_server_that_is_full_keeps_off_nobody_who_means_another(
    monkeypatch: pytest.MonkeyPatch, mails: MailServer, port: int, workspace: int
) -> None:
    """Many share a host, and only its port, or its user, tells their servers apart."""
    monkeypatch.setattr(slots, "PATIENCE_S", 0.01)

    async def beside() -> list[Outcome]:
        taken = server_of({"host": HOST, "port": port or mails.port}, workspace)
        async with means_of(slots=Slots(1)) as means, means.slots.of(taken):
            return [
                await mail_to(mails.port, means, host=HOST),
                await mail_to(port or mails.port, means, host=HOST, workspace=workspace),
            ]

    sent, put_off = asyncio.run(beside())
    assert isinstance(sent, Done)
    assert isinstance(put_off, Later)


async def cancelled(attempts: Sequence[asyncio.Future[Outcome]]) -> None:
    for each in attempts:
        each.cancel()
    await asyncio.gather(*attempts, return_exceptions=True)


async def _until(condition: Callable[[], object]) -> None:
    await asyncio.to_thread(until, condition)


@pytest.mark.parametrize("other", ["job", "notice"])
def test_a_host_has_its_slots_once_whatever_calls_it(monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    """While a job, or a notice, has the only one, an event's action is put off."""
    monkeypatch.setattr(slots, "PATIENCE_S", 0.01)

    async def both() -> tuple[Outcome, int, Outcome]:
        arrived, released = asyncio.Event(), asyncio.Event()

        async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            arrived.set()
            await released.wait()
            writer.write(OK)

        opened: Any = open_client() if other == "job" else notices.open_means()
        async with serving(hold, OK) as server, opened as shared, means_of() as means:
            client: Client = shared if other == "job" else shared.client
            first = asyncio.create_task(client.send(Call("GET", server.url)))
            await arrived.wait()
            what = occasion("ACTION", {"endpoint": server.url})
            second = await performed("ACTION", what, means)
            at_once = len(server.requests)
            released.set()
            await first
            return second, at_once, await performed("ACTION", what, means)

    with override_settings(HOST_SLOTS=1, EGRESS_ALLOW=["127.0.0.1"]):
        second, at_once, third = asyncio.run(both())
    assert isinstance(second, Later)
    assert at_once == 1
    assert isinstance(third, Done)
