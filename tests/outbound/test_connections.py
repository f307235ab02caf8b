"""Connections: shared, kept for a while, replaced when they are stale, and gone when the client is."""

import asyncio
import gc
import os
from pathlib import Path

import pytest

from badgerjobs.outbound import connections
from badgerjobs.outbound.addresses import Policy
from badgerjobs.outbound.client import Call, CallFailed, Client
from tests.outbound.hostile import OK, answer, client_for, serving


def test_calls_to_one_host_share_a_connection() -> None:
    async def calls() -> int:
        async with serving(OK, close=False) as server, client_for(server) as client:
            for _ in range(5):
                await client.send(Call("POST", server.url, body=b"x"))
            return server.connections

    assert asyncio.run(calls()) == 1


def test_a_connection_whose_body_was_not_read_to_its_end_is_not_used_again() -> None:
    async def calls() -> int:
        unfinished = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b"x" * 5000
        async with serving(unfinished, OK, close=False) as server, client_for(server) as client:
            with pytest.raises(CallFailed, match="too_large"):
                await client.send(Call("GET", server.url, read_bytes=1000))
            assert (await client.send(Call("GET", server.url))).body == b"ok"
            return server.connections

    assert asyncio.run(calls()) == 2


async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What a server does that closes an idle connection just as it is used again."""
    writer.transport.abort()
    raise ConnectionAbortedError


@pytest.mark.parametrize(
    ("method", "headers", "sent"),
    [
        ("GET", [], 3),
        ("PUT", [], 3),
        ("POST", [("Idempotency-Key", "run")], 3),
        ("POST", [("webhook-id", "run")], 3),
        ("POST", [], 2),
    ],
)
def test_a_stale_connection_is_replaced_when_sending_twice_does_no_harm(
    method: str, headers: list[tuple[str, str]], sent: int
) -> None:
    async def calls() -> tuple[str, int]:
        async with serving(OK, hang_up, OK, close=False) as server, client_for(server) as client:
            await client.send(Call("GET", server.url))
            try:
                outcome = str((await client.send(Call(method, server.url, headers, body=b"x"))).status)
            except CallFailed as failed:
                outcome = failed.error_class
            return outcome, len(server.requests)

    assert asyncio.run(calls()) == ("200" if sent == 3 else "protocol", sent)


def test_a_call_whose_new_connection_breaks_is_sent_once() -> None:
    async def calls() -> int:
        async with serving(hang_up, OK) as server, client_for(server) as client:
            with pytest.raises(CallFailed, match="protocol"):
                await client.send(Call("GET", server.url))
            return len(server.requests)

    assert asyncio.run(calls()) == 1


def test_only_so_many_hosts_keep_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_WARM_HOSTS", 1)

    async def calls() -> list[bool]:
        async with serving(OK) as one, serving(OK) as two, client_for(one, two) as client:
            for server in (one, two, one):
                await client.send(Call("GET", server.url))
            return [b"Connection: close" in server.requests[0] for server in (one, two)]

    assert asyncio.run(calls()) == [False, True]


def test_a_warm_host_cools_when_it_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_WARM_HOSTS", 1)
    monkeypatch.setattr(connections, "IDLE_S", 0.0)

    async def calls() -> bool:
        async with serving(OK) as one, serving(OK) as two, client_for(one, two) as client:
            for server in (one, two):
                await client.send(Call("GET", server.url))
            return b"Connection: close" in two.requests[0]

    assert asyncio.run(calls()) is False


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_closed_client_leaves_nothing_open() -> None:
    async def calls() -> None:
        async with serving(OK, close=False) as server, client_for(server) as client:
            await asyncio.gather(*(client.send(Call("GET", server.url)) for _ in range(20)))
            with pytest.raises(CallFailed):
                await client.send(Call("GET", "http://127.0.0.1:1/"))

    asyncio.run(calls())
    gc.collect()
    before = open_files()
    asyncio.run(calls())
    gc.collect()
    assert open_files() == before


def test_a_cancelled_call_closes_its_connection() -> None:
    async def calls() -> int:
        started, ended = asyncio.Event(), asyncio.Event()

        async def wait(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            started.set()
            await reader.read()
            ended.set()

        async with serving(wait) as server, client_for(server) as client:
            task = asyncio.create_task(client.send(Call("GET", server.url)))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(ended.wait(), 5)
            return len(client._slots)

    assert asyncio.run(calls()) == 0


def test_cookies_of_one_call_do_not_reach_the_next() -> None:
    async def look_up(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    async def calls() -> bytes:
        script = answer(200, Set_Cookie="session=secret")
        async with serving(script, close=False) as server, client_for(server, look_up=look_up) as client:
            for _ in range(2):
                await client.send(Call("GET", f"http://shop.example:{server.port}/"))
            return server.requests[1]

    assert b"secret" not in asyncio.run(calls())


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setitem(os.environ, "http_proxy", "http://127.0.0.1:1")

    async def call() -> int:
        async with serving(OK) as server, Client(Policy([f"127.0.0.1:{server.port}"])) as client:
            return (await client.send(Call("GET", server.url))).status

    assert asyncio.run(call()) == 200
