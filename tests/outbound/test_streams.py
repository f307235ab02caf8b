"""Answers that are poured out while they come: nothing is kept, nobody is hurried, and silence ends it."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from badgerjobs.outbound.calls import Answer, Call, CallFailed
from tests.outbound.hostile import Script, answer, client_for, serving

packed = partial(gzip.compress, mtime=0)
PIECE = 256 * 1024


def poured(
    *scripts: Script,
    pour: Callable[[bytes], Awaitable[None]] | None = None,
    begun: Callable[[Answer], None] | None = None,
    path: str = "",
    **call: Any,
) -> tuple[Answer, list[bytes]]:
    """Serve the scripts, stream one answer, and give it with the pieces that came."""
    pieces: list[bytes] = []

    async def keep(piece: bytes) -> None:
        pieces.append(piece)

    async def conversation() -> Answer:
        async with serving(*scripts) as server, client_for(server) as client:
            asked = Call("GET", server.url + path, **{"timeout_s": 10.0, **call})
            return await client.stream(asked, pour or keep, begun)

    return asyncio.run(conversation()), pieces


def failed(*scripts: Script, **how: Any) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        poured(*scripts, **how)
    return caught.value


def test_a_good_answer_is_poured_out_and_not_kept() -> None:
    whole = b"0123456789" * 100_000
    came, pieces = poured(answer(200, whole, X_Some="thing"))
    assert b"".join(pieces) == whole
    assert len(pieces) > 1
    assert (came.status, came.body, came.truncated) == (200, b"", False)
    assert ("X-Some", "thing") in came.headers


def test_it_is_unpacked_in_small_pieces() -> None:
    whole = b"All work and no play. " * 50_000
    _, pieces = poured(answer(200, packed(whole), Content_Encoding="gzip"))
    assert b"".join(pieces) == whole
    assert max(map(len, pieces)) <= 64 * 1024
    assert all(pieces)


def test_an_answer_that_is_not_good_is_kept_like_any_other() -> None:
    seen: list[Answer] = []
    came, pieces = poured(answer(404, b'{"detail": "gone"}'), begun=seen.append)
    assert (came.status, came.body, pieces, seen) == (404, b'{"detail": "gone"}', [], [])


def test_a_redirect_is_followed_first() -> None:
    came, pieces = poured(answer(302, b"elsewhere", Location="/there"), answer(200, b"here"))
    assert (b"".join(pieces), came.redirects) == (b"here", 1)


def test_the_answer_is_told_before_its_first_piece() -> None:
    order: list[str] = []

    async def pour(piece: bytes) -> None:
        order.append(piece.decode())

    def begun(head: Answer) -> None:
        order.append(dict(head.headers)["Content-Type"])

    poured(answer(200, b"body", Content_Type="text/csv"), pour=pour, begun=begun)
    assert order == ["text/csv", "body"]


def test_a_server_that_is_faster_has_to_wait() -> None:
    sent = 0

    async def fast(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
        while sent < 104857600:
            writer.write(b"x" * PIECE)
            await writer.drain()
            sent += PIECE

    class EnoughError(Exception):
        pass

    seen: list[int] = []

    async def pour(_: bytes) -> None:
        # The server has all the time that it could wish for, and goes on only as far as the buffers reach.
        before = -1
        while sent != before:
            before = sent
            for _again in range(50):
                await asyncio.sleep(0)
        seen.append(sent)
        if len(seen) == 3:
            raise EnoughError

    with pytest.raises(EnoughError):
        poured(fast, pour=pour)
    assert seen[-1] < 20 * 1024 * 1024


def test_what_pouring_takes_does_not_count() -> None:
    async def pour(_: bytes) -> None:
        await asyncio.sleep(0.15)

    came, _ = poured(answer(200, b"x" * 300_000), pour=pour, timeout_s=0.1)
    assert came.status == 200


def test_silence_ends_it_and_says_how_much_had_come() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await reader.read()

    error = failed(silent, timeout_s=0.1)
    assert (error.error_class, error.message) == (
        "timeout", "127.0.0.1 sent nothing more for 0.1 s, and its answer is not complete: 4 bytes had come.",
    )  # fmt: skip


def test_a_server_that_goes_on_slowly_is_listened_to() -> None:
    async def slowly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
        for _again in range(8):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    _, pieces = poured(slowly, timeout_s=0.2)
    assert b"".join(pieces) == b"x" * 8


@pytest.mark.parametrize(
    ("script", "error_class"),
    [
        (answer(200, b"x" * 2000), "too_large"),
        (answer(200, packed(b"x" * 10_000_000), Content_Encoding="gzip"), "too_large"),
        (answer(200, b"no gzip", Content_Encoding="gzip"), "protocol"),
        (answer(200, packed(b"cut off" * 100)[:20], Content_Encoding="gzip"), "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbroken off", "protocol"),
    ],
)
def test_what_is_wrong_with_a_body_ends_it(script: bytes, error_class: str) -> None:
    assert failed(script, read_bytes=1000).error_class == error_class


@pytest.mark.parametrize("error", [OSError("of the database"), TimeoutError("of the database"), ValueError("a row")])
def test_what_fails_where_it_is_poured_is_no_failure_of_the_server(error: Exception) -> None:
    async def pour(_: bytes) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        poured(answer(200, b"good"), pour=pour)
    assert caught.value is error


def test_the_door_is_guarded_as_ever() -> None:
    assert failed(answer(302, b"", Location="http://10.0.0.1/")).error_class == "refused"
