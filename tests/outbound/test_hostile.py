"""Servers that break the rules: each ends in its class, with a sentence, and within its bounds."""

import asyncio
import gzip
import re
import socket
import zlib
from typing import Any

import pytest

from badgerjobs.outbound.addresses import Policy
from badgerjobs.outbound.client import Call, CallFailed, Client
from tests.outbound.hostile import OK, Script, Server, answer, ask, client_for, failure, serving

GZIPPED = "Content-Encoding: gzip"


async def drip_headers(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-Drip: 1\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_body(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.02)


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def endless_chunks(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1;" + b"e" * 2000 + b"\r\nx\r\n")
        await writer.drain()


async def endless_informational(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0)


async def endless_continue(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000)
        await writer.drain()


async def endless_members(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
    while True:
        writer.write(gzip.compress(b"") * 5_000)
        await writer.drain()


async def one_byte_chunks(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\nx\r\n" * 10_000)
        await writer.drain()


def bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    body = b"".join(packer.compress(bytes(2**20)) for _ in range(megabytes)) + packer.flush()
    return answer(200, body, Content_Encoding="gzip")


def headers(count: int, each: int = 5) -> bytes:
    lines = b"".join(b"X-%d: %s\r\n" % (number, b"v" * each) for number in range(count))
    return b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 2\r\n\r\nok"


CASES: dict[str, tuple[Script, str, str]] = {
    "headers that drip": (drip_headers, "timeout", "did not answer within 0.4 s"),
    "a body that drips": (drip_body, "timeout", r"did not finish its answer within 0.4 s: \d+ bytes"),
    "silence": (silence, "timeout", "did not answer within 0.4 s"),
    "chunks of extensions": (endless_chunks, "protocol", "next to nothing in them"),
    "hints without end": (endless_informational, "protocol", "interim answers"),
    "continues without end": (endless_continue, "protocol", "interim answers"),
    "few hints, but long ones": (
        (b"HTTP/1.1 103 Early Hints\r\n" + b"Link: </x>" * 800 + b"\r\n\r\n") * 9 + OK,
        "protocol",
        "interim answers",
    ),
    "chunks of one byte": (one_byte_chunks, "protocol", "next to nothing in them"),
    "empty gzip members without end": (endless_members, "protocol", "more than 100 members"),
    "10,000 headers": (headers(10_000), "too_large", "too many or too long headers"),
    "201 headers": (headers(201), "too_large", "too many or too long headers"),
    "a long header": (headers(1, 9_000), "too_large", "too many or too long headers"),
    "a long reason": (b"HTTP/1.1 200 " + b"O" * 9_000 + b"\r\n\r\n", "too_large", "too many or too long"),
    "100 KB of headers": (headers(100, 1_000), "too_large", "more than 64 KB of headers"),
    "10,000 trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        "too_large",
        "too many or too long",
    ),
    "a close without an answer": (b"", "protocol", "closed the connection without an answer"),
    "a close in the headers": (b"HTTP/1.1 200 OK\r\nX-", "protocol", "closed the connection without an answer"),
    "a close in the body": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "protocol", "in the middle"),
    "a close in a chunk": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
        "protocol",
        "in the middle",
    ),
    "chunks that are none": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nwhat\r\n",
        "protocol",
        "is not HTTP",
    ),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n", "protocol", "is not HTTP"),
    "HTTP/0.9": (b"<html>hello</html>", "protocol", "is not HTTP"),
    "a header without a colon": (b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "protocol", "is not HTTP"),
    "a NUL in a header": (b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\n\r\n", "protocol", "is not HTTP"),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "protocol", "is not HTTP"),
    "another protocol": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "protocol",
        "switched to another protocol",
    ),
    "gzip that is none": (answer(200, b"plain", Content_Encoding="gzip"), "protocol", "says it is gzip"),
    "gzip cut short": (answer(200, gzip.compress(b"x" * 999)[:-9], Content_Encoding="gzip"), "protocol", "ends in the"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_broken_server_ends_in_its_class_and_a_sentence(case: str) -> None:
    script, error_class, says = CASES[case]
    failed = failure(script, timeout_s=0.4 if error_class == "timeout" else 10)
    assert (failed.error_class, bool(re.search(says, failed.message))) == (error_class, True), failed.message
    assert failed.message.endswith(".")


@pytest.mark.parametrize(
    "script", [endless, bomb(30), answer(200, b"x" * 11 * 2**20)], ids=["no end", "a bomb", "declared"]
)
def test_a_body_that_goes_on_is_too_large_and_what_came_is_shown(script: Script) -> None:
    failed = failure(script)
    assert failed.error_class == "too_large"  # not "timeout": it is not read to its end
    assert "10,485,760 bytes" in failed.message
    assert failed.answer is not None
    assert (failed.answer.status, len(failed.answer.body), failed.answer.truncated) == (200, 65536, True)


def test_200_headers_are_not_too_many() -> None:
    assert ask(headers(199)).status == 200


@pytest.mark.parametrize(
    "call",
    [
        {"headers": [("X-A", "b\r\nX-C: d")]},
        {"headers": [("Host", "other.example")]},
        {"headers": [("Transfer-Encoding", "chunked")]},
        {"method": "GET / HTTP/1.1\r\nX-A: b\r\n\r\nGET"},
        {"method": "CONNECT"},
        {"path": "\r\nX-A: b"},
    ],
)
def test_what_would_be_a_second_request_is_not_sent(call: dict[str, Any]) -> None:
    assert failure(OK, **call).error_class == "refused"


def test_what_came_before_a_body_broke_is_shown() -> None:
    failed = failure(b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nhalf")
    assert failed.answer is not None
    assert (failed.answer.status, failed.answer.body) == (503, b"half")


def test_a_port_where_nothing_listens_is_said_to_refuse() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]

        async def call() -> None:
            async with Client(Policy(["127.0.0.0/8"])) as client:
                await client.send(Call("GET", f"http://127.0.0.1:{port}/"))

        with pytest.raises(CallFailed, match=f"connect: 127.0.0.1 refused .* port {port}"):
            asyncio.run(call())


@pytest.mark.parametrize(
    "interim", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"]
)
@pytest.mark.parametrize("count", [1, 100])
def test_interim_answers_are_passed_over(interim: bytes, count: int) -> None:
    got = ask(interim * count + OK, method="POST", body=b"hello")
    assert (got.status, got.body) == (200, b"ok")


def test_interim_answers_are_counted_for_each_answer_anew() -> None:
    async def calls() -> tuple[list[int], int]:
        script = b"HTTP/1.1 100 Continue\r\n\r\n" * 60 + OK
        async with serving(script, close=False) as server, client_for(server) as client:
            return [(await client.send(Call("GET", server.url))).status for _ in range(3)], server.connections

    assert asyncio.run(calls()) == ([200] * 3, 1)


def test_servers_that_flood_leave_the_loop_to_other_calls() -> None:
    """Fifty at once, while another call is made again and again: none of its turns comes seconds late."""

    async def flooded(client: Client, server: Server) -> str:
        with pytest.raises(CallFailed) as caught:
            await client.send(Call("GET", server.url, timeout_s=20))
        return caught.value.error_class

    async def calls() -> tuple[set[str], float]:
        loop, waited = asyncio.get_running_loop(), []

        async def turns() -> None:
            while True:
                asked = loop.time()
                await asyncio.sleep(0)
                waited.append(loop.time() - asked)

        async with serving(gzip_flood(), close=True) as server, client_for(server) as client:
            watch = asyncio.create_task(turns())
            ends = await asyncio.gather(*(flooded(client, server) for _ in range(50)))
            watch.cancel()
            return set(ends), max(waited)

    ends, longest = asyncio.run(calls())
    assert ends == {"protocol"}
    assert longest < 2


def gzip_flood() -> bytes:
    return answer(200, gzip.compress(b"") * 50_000, Content_Encoding="gzip")


def test_a_body_that_ends_with_its_connection_is_whole() -> None:
    assert ask(b"HTTP/1.0 200 OK\r\n\r\nall of it").body == b"all of it"


def test_an_unasked_second_answer_is_not_taken_for_the_next_calls() -> None:
    async def calls() -> list[bytes]:
        scripts = OK + answer(200, b"poison"), answer(200, b"clean")
        async with serving(*scripts, close=False) as server, client_for(server) as client:
            return [(await client.send(Call("GET", server.url))).body for _ in range(2)]

    assert asyncio.run(calls()) == [b"ok", b"clean"]


def test_headers_come_as_text_that_a_database_takes() -> None:
    got = ask(b"HTTP/1.1 200 OK\r\nX-Name: Zo\xc3\xab\r\nX-Bytes: \xff\xfe\r\nContent-Length: 0\r\n\r\n")
    assert got.headers == [("X-Name", "Zoë"), ("X-Bytes", "\ufffd\ufffd"), ("Content-Length", "0")]
