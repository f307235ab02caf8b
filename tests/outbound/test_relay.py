"""The door for what is not HTTP: one checked address, one driver, so many bytes, and an end."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import pytest

from badgerjobs.outbound import own_sockets
from badgerjobs.outbound.addresses import Policy
from badgerjobs.outbound.names import Resolver
from badgerjobs.outbound.relay import LOOPBACK, Line, Unreachable, relayed

T = TypeVar("T")
Answers = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
    except OSError:
        writer.close()


def through(
    answers: Answers,
    use: Callable[[Line], Awaitable[T]],
    *,
    allow: Sequence[str] = (LOOPBACK,),
    addresses: Sequence[str] = (LOOPBACK,),
    most_bytes: int = 1_000_000,
) -> T:
    """What `use` makes of a line to a server of that name, which looks up to these addresses."""

    async def look_up(_host: str, _port: int) -> Sequence[str]:
        return addresses

    async def once() -> T:
        server = await asyncio.start_server(answers, LOOPBACK, 0)
        port = server.sockets[0].getsockname()[1]
        async with (
            server,
            relayed(
                "db.example.com", port, policy=Policy(allow), resolver=Resolver(look_up), most_bytes=most_bytes
            ) as line,
        ):
            return await use(line)

    return asyncio.run(once())


async def _talk(line: Line) -> bytes:
    reader, writer = await asyncio.open_connection(LOOPBACK, line.port)
    writer.write(b"hello")
    try:
        return await reader.readexactly(5)
    finally:
        writer.close()


def test_what_is_said_arrives_and_so_does_the_answer() -> None:
    assert through(echo, _talk) == b"hello"


def test_nobody_else_comes_through() -> None:
    async def twice(line: Line) -> tuple[bytes, bytes]:
        reader, writer = await asyncio.open_connection(LOOPBACK, line.port)
        writer.write(b"first")
        assert await reader.readexactly(5) == b"first"
        second = await _second(line)
        writer.write(b"third")
        try:
            return second, await reader.readexactly(5)
        finally:
            writer.close()

    async def _second(line: Line) -> bytes:
        try:
            reader, writer = await asyncio.open_connection(LOOPBACK, line.port)
        except ConnectionRefusedError:
            return b""
        try:
            writer.write(b"second")
            return await reader.read(100)
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    assert through(echo, twice) == (b"", b"third")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells it on Linux")
def test_another_process_does_not_come_through_and_keeps_nobody_out() -> None:
    """A port on loopback is open to everybody on this machine."""
    steal = """
import socket, sys
thief = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
try:
    thief.send(b"hello")
    print(thief.recv(5))
except ConnectionResetError:
    print(b"")
"""

    async def after_a_thief(line: Line) -> bytes:
        thief = await asyncio.create_subprocess_exec(
            sys.executable, "-c", steal, str(line.port), stdout=asyncio.subprocess.PIPE
        )
        got, _ = await asyncio.wait_for(thief.communicate(), 20)
        assert got == b"b''\n"
        return await _talk(line)

    assert through(echo, after_a_thief) == b"hello"


def test_the_port_is_nobody_elses_while_the_line_is_open() -> None:
    """What a driver sends there second, like a request to cancel, reaches no stranger."""

    async def take(line: Line) -> bytes:
        said = await _talk(line)
        with pytest.raises(OSError, match="in use"):
            socket.create_server((LOOPBACK, line.port))
        return said

    assert through(echo, take) == b"hello"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells it on Linux")
def test_where_the_kernel_does_not_tell_a_driver_still_comes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_sockets, "SOCK_DIAG", 999)
    assert through(echo, _talk) == b"hello"


def test_what_answers_without_end_is_cut_off() -> None:
    async def drink(line: Line) -> tuple[int, bool]:
        reader, writer = await asyncio.open_connection(LOOPBACK, line.port)
        size = 0
        try:
            while data := await reader.read(65536):
                size += len(data)
        except ConnectionResetError:
            pass
        writer.close()
        return size, line.is_full

    size, is_full = through(flood, drink, most_bytes=300_000)
    assert size <= 300_000
    assert is_full


def test_a_line_is_cut_when_its_time_is_over() -> None:
    """A driver that waits in a thread wakes up."""

    async def leave(line: Line) -> socket.socket:
        driver = socket.create_connection((LOOPBACK, line.port), timeout=10)
        await asyncio.to_thread(driver.sendall, b"x")
        await asyncio.to_thread(driver.recv, 1)
        return driver

    with through(echo, leave) as driver, contextlib.suppress(ConnectionResetError):
        assert driver.recv(1) == b""


@pytest.mark.parametrize("steps", range(12))
def test_a_line_that_is_cut_while_its_driver_comes_leaves_nobody_waiting(steps: int) -> None:
    """However far it has come: it is there, is let in, is about to be listened to."""

    async def look_up(_host: str, _port: int) -> Sequence[str]:
        return [LOOPBACK]

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def come_and_be_cut() -> bytes:
        async with await asyncio.start_server(silent, LOOPBACK, 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with relayed("db", port, policy=Policy([LOOPBACK]), resolver=Resolver(look_up)) as line:
                driver = socket.create_connection((LOOPBACK, line.port), timeout=10)
                for _ in range(steps):
                    await asyncio.sleep(0)
            with driver:
                try:
                    return await asyncio.to_thread(driver.recv, 1)
                except ConnectionResetError:
                    return b""

    assert asyncio.run(come_and_be_cut()) == b""


@pytest.mark.parametrize(
    ("allow", "addresses", "error_class"),
    [
        ((), (LOOPBACK,), "refused"),
        ((), ("10.0.0.1", "::ffff:127.0.0.1"), "refused"),
        ((LOOPBACK,), (), "dns"),
    ],
)
def test_what_may_not_be_connected_to_is_not(allow: Sequence[str], addresses: Sequence[str], error_class: str) -> None:
    with pytest.raises(Unreachable) as raised:
        through(echo, _talk, allow=allow, addresses=addresses)
    assert raised.value.error_class == error_class
    assert "db.example.com" in raised.value.message


def test_of_several_addresses_the_first_that_may_be_connected_to_and_answers_is() -> None:
    assert through(echo, _talk, addresses=("10.0.0.1", "127.0.0.2", LOOPBACK), allow=("127.0.0.0/8",)) == b"hello"
