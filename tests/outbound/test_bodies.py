"""What is kept of a body, what is read of it, and what it becomes when it is unpacked."""

import asyncio
import gzip
import zlib
from functools import partial

import pytest

from badgerjobs.outbound.reading import STEP, Body, GarbledError, TooLargeError, Unpacker
from tests.outbound.hostile import answer, ask, failure

# Without the time in it: the names of tests hold what is packed.
packed = partial(gzip.compress, mtime=0)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


class Chunks:
    """A stream that comes in the given pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    async def readany(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def read(source: Chunks, encoding: str = "", *, keep: int = 10, most: int = 1000) -> Body:
    body = Body(keep, most)
    asyncio.run(body.read(source, encoding))
    return body


@pytest.mark.parametrize(
    ("pieces", "kept", "truncated"),
    [
        ([], b"", False),
        ([b"123456789"], b"123456789", False),
        ([b"12345", b"67890"], b"1234567890", False),
        ([b"12345", b"678901"], b"1234567890", True),
        ([b"1234567890", b"1"], b"1234567890", True),
        ([b"x" * 999], b"x" * 10, True),
    ],
)
def test_a_body_is_kept_up_to_its_limit(pieces: list[bytes], kept: bytes, truncated: bool) -> None:
    body = read(Chunks(*pieces))
    assert (bytes(body.kept), body.truncated) == (kept, truncated)


def test_a_body_is_read_up_to_its_limit_and_not_past_it() -> None:
    assert read(Chunks(b"x" * 1000)).length == 1000
    source = Chunks(b"x" * 600, b"x" * 600, b"never read")
    with pytest.raises(TooLargeError):
        read(source)
    assert asyncio.run(source.readany()) == b"never read"


TEXT = b"All work and no play. " * 40
PACKED = {
    "gzip": ("gzip", packed(TEXT)),
    "x-gzip": ("x-gzip", packed(TEXT)),
    "two members": ("gzip", packed(TEXT[:100]) + packed(TEXT[100:])),
    "an empty member": ("gzip", packed(b"") + packed(TEXT)),
    "rubbish after the end": ("gzip", packed(TEXT) + b"\0\0rubbish"),
    "zlib": ("deflate", zlib.compress(TEXT)),
    "raw deflate": ("deflate", raw_deflate(TEXT)),
}


@pytest.mark.parametrize("piece", [1, 7, 10_000])
@pytest.mark.parametrize("case", PACKED)
def test_a_packed_body_is_unpacked_however_it_is_cut(case: str, piece: int) -> None:
    encoding, data = PACKED[case]
    pieces = [data[start : start + piece] for start in range(0, len(data), piece)]
    assert bytes(read(Chunks(*pieces), encoding, keep=10_000).kept) == TEXT


@pytest.mark.parametrize("size", [STEP - 1, STEP, STEP + 1, STEP + 3, 2 * STEP, 2 * STEP + 1])
def test_nothing_is_left_behind_at_the_edge_of_a_step(size: int) -> None:
    assert read(Chunks(raw_deflate(bytes(size))), "deflate", most=10**6).length == size


@pytest.mark.parametrize(
    ("encoding", "data", "says"),
    [
        ("gzip", b"plain", "says it is gzip"),
        ("deflate", b"\xff\xff\xff\xff", "says it is deflate"),
        ("gzip", packed(TEXT)[:-1], "ends in the middle"),
        ("deflate", zlib.compress(TEXT)[:-5], "ends in the middle"),
        ("gzip", packed(TEXT) + packed(TEXT)[:20], "ends in the middle"),
        ("gzip", packed(TEXT)[:-8] + b"\0" * 8, "says it is gzip"),
    ],
)
def test_a_packed_body_that_is_broken_is_said_to_be(encoding: str, data: bytes, says: str) -> None:
    with pytest.raises(GarbledError, match=says):
        read(Chunks(data), encoding)


@pytest.mark.parametrize("encoding", ["", "identity", "br", "gzip, gzip", "aes128gcm"])
def test_another_encoding_is_kept_as_it_came(encoding: str) -> None:
    assert bytes(read(Chunks(b"as it is"), encoding).kept) == b"as it is"


def test_an_empty_body_needs_no_unpacking() -> None:
    assert read(Chunks(), "gzip").length == 0


def test_a_bomb_is_unpacked_a_step_at_a_time() -> None:
    bomb = zlib.compress(bytes(50 * 2**20), 9)
    sizes = [len(piece) for _, piece in zip(range(5), Unpacker("deflate").feed(bomb), strict=False)]
    assert sizes == [STEP] * 5


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", packed(bytes(100_000))),
        ("gzip", packed(packed(bytes(10**7)) * 2)),
        ("gzip", packed(b"") * 60),
        ("deflate", b"\x00\x00\x00\xff\xff" * 300),
    ],
    ids=["zeros", "nested", "many members", "empty blocks"],
)
def test_what_unpacks_to_much_or_to_nothing_is_bounded(encoding: str, data: bytes) -> None:
    with pytest.raises(TooLargeError):
        read(Chunks(data, data), encoding)


@pytest.mark.parametrize("piece", [7, 10_000])
def test_a_hundred_members_are_unpacked_and_no_more(piece: int) -> None:
    def cut(members: int) -> Chunks:
        data = packed(b"x") * members
        return Chunks(*(data[start : start + piece] for start in range(0, len(data), piece)))

    assert read(cut(100), "gzip", most=10**6).length == 100
    with pytest.raises(GarbledError, match="more than 100 members"):
        read(cut(101), "gzip", most=10**6)


def test_a_body_that_has_come_already_is_read_in_turns_with_others() -> None:
    async def turns() -> int:
        reading = asyncio.create_task(Body(10, 10**6).read(Chunks(*[b"x"] * 50), ""))
        count = 0
        while not reading.done():
            await asyncio.sleep(0)
            count += 1
        return count

    assert asyncio.run(turns()) >= 50


def test_an_answer_comes_unpacked_and_its_headers_as_they_were() -> None:
    got = ask(answer(200, packed(TEXT), Content_Encoding="gzip"))
    assert got.body == TEXT
    assert ("Content-Encoding", "gzip") in got.headers


@pytest.mark.parametrize(("size", "truncated"), [(65_536, False), (65_537, True), (5_000_000, True)])
def test_64_kb_are_kept_and_the_answer_says_when_there_was_more(size: int, truncated: bool) -> None:
    got = ask(answer(200, b"x" * size))
    assert (len(got.body), got.truncated) == (65_536, truncated)


def test_a_caller_may_keep_more_and_read_less() -> None:
    assert len(ask(answer(200, b"x" * 100_000), keep_bytes=200_000).body) == 100_000
    assert failure(answer(200, b"x" * 1001), read_bytes=1000).error_class == "too_large"


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_an_answer_that_has_no_body_is_whole(method: str, status: int) -> None:
    script = f"HTTP/1.1 {status} X\r\nContent-Encoding: gzip\r\nContent-Length: 99\r\n\r\n".encode()
    got = ask(script, method=method)
    assert (got.status, got.body, got.truncated) == (status, b"", False)


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**20 + 1])
def test_a_body_is_sent_whole(size: int) -> None:
    received: list[int] = []

    async def count(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(1)
        writer.write(answer(200))

    assert ask(count, method="POST", body=b"x" * size).status == 200
    assert received == [1]
