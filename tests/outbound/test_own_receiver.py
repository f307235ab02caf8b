"""The demo's own receiver: one prefix on one loopback port, in one spelling, and nothing else there."""

import asyncio
import subprocess
import sys

import pytest

from badgerjobs.outbound.addresses import Policy
from badgerjobs.outbound.client import Answer, Call, CallFailed, Client
from badgerjobs.outbound.connections import OwnReceiver
from tests.outbound.hostile import OK, Server, answer, client_for, serving


def send(path: str, *, host: str = "127.0.0.1", script: bytes = OK) -> tuple[Answer, Server]:
    async def look_up(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    async def call() -> tuple[Answer, Server]:
        async with serving(script, OK, close=False) as server:
            own = f"http://127.0.0.1:{server.port}/echo/"
            async with Client(Policy(), own_receiver=own, look_up=look_up) as client:
                # What this leaves behind must be of no use to the next call.
                await client.send(Call("GET", own))
                server.requests.clear()
                server.requests.append(b"")
                try:
                    return await client.send(Call("GET", f"http://{host}:{server.port}{path}")), server
                except CallFailed:
                    assert server.requests == [b""]
                    raise

    return asyncio.run(call())


@pytest.mark.parametrize("path", ["/echo/", "/echo/hello", "/echo/a/b.json?status=500&q=../x", "/echo/x#/../.."])
def test_what_is_below_the_prefix_is_called(path: str) -> None:
    assert send(path)[0].status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/", "/echo", "/metrics", "/Echo/", "//echo/", "/echo/../metrics", "/echo/./x", "/echo/..",
        "/echo/%2e%2e/metrics",
        "/echo/%2E%2E%2Fmetrics", "/echo/..%2fmetrics", "/echo//metrics", "/echo/..;/metrics", "/%65cho/",
        "/echo/%252e%252e/", "/echo/a/../../metrics", "/admin/../echo/",
    ],
)  # fmt: skip
def test_another_path_on_that_port_is_refused(path: str) -> None:
    with pytest.raises(CallFailed, match="refused"):
        send(path)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.2", "[::ffff:127.0.0.1]", "①②⑦.0.0.1", "public.example", "0.0.0.0"]
)
def test_another_spelling_of_its_host_is_refused(host: str) -> None:
    with pytest.raises(CallFailed, match="refused"):
        send("/echo/", host=host)


@pytest.mark.parametrize("unit", ["a", "a.", "a/", "a.a/", "-", "a.a"])
def test_a_hostile_path_is_judged_at_once(unit: str) -> None:
    """In a process of its own: a search that runs away could not be ended in this one."""
    judge = "import sys; from badgerjobs.outbound.connections import OwnReceiver as O; p = 'http://127.0.0.1:1/echo/';"
    judge += "sys.exit(O(p).admits(p + sys.argv[1] * 3000 + '!'))"
    assert subprocess.run([sys.executable, "-c", judge, unit], timeout=20, check=False).returncode == 0


@pytest.mark.parametrize(
    "path", ["", "a", "a/", "a.b", "a/b.c/", "a..b", "a.", ".a", "/", "a//b", "a/.", "a/./b", "a b"]
)
def test_a_path_is_plain_when_nobody_could_read_it_as_another(path: str) -> None:
    parts = path.removesuffix("/").split("/") if path else []
    plain = all(part and " " not in part and all(part.split(".")) for part in parts)
    assert OwnReceiver("http://127.0.0.1:1/echo/").admits(f"http://127.0.0.1:1/echo/{path}") is plain


def test_a_redirect_to_it_is_refused() -> None:
    async def call() -> CallFailed:
        async with serving(OK) as receiver:
            own = f"{receiver.url}echo/"
            async with (
                serving(answer(302, Location=f"{own}x")) as outside,
                client_for(outside, own_receiver=own) as client,
            ):
                with pytest.raises(CallFailed) as caught:
                    await client.send(Call("GET", outside.url))
            assert receiver.requests == []
            return caught.value

    assert asyncio.run(call()).error_class == "refused"


def test_a_redirect_by_it_goes_through_the_guard() -> None:
    async def call() -> CallFailed:
        async with serving(answer(302, Location="/metrics")) as receiver:
            async with Client(Policy(), own_receiver=f"{receiver.url}echo/") as client:
                with pytest.raises(CallFailed) as caught:
                    await client.send(Call("GET", f"{receiver.url}echo/"))
            assert len(receiver.requests) == 1
            return caught.value

    assert asyncio.run(call()).error_class == "refused"


def test_a_prefix_that_names_no_folder_is_refused() -> None:
    with pytest.raises(ValueError, match="end with a slash"):
        Client(Policy(), own_receiver="http://127.0.0.1:8000")


def test_another_port_of_its_host_is_refused() -> None:
    async def call() -> None:
        async with (
            serving(OK) as receiver,
            serving(OK) as other,
            client_for(own_receiver=f"{receiver.url}echo/") as client,
        ):
            await client.send(Call("GET", f"{other.url}echo/"))

    with pytest.raises(CallFailed, match="refused"):
        asyncio.run(call())
