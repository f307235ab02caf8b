"""Reading an answer's body within bounds: what comes over the wire, and what it becomes when it is unpacked."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

# The most that one step of unpacking produces, so that a bomb is noticed after 64 KB and not after a gigabyte.
STEP = 64 * 1024
# Each costs as much to begin as some kilobytes; an empty one has 20 bytes.
MOST_MEMBERS = 100

GZIP, ZLIB, RAW = 31, 15, -15


class TooLargeError(Exception):
    """The body goes on after all that may be read of it."""


class GarbledError(Exception):
    """The body is not what its Content-Encoding says."""


def too_large(most: int) -> TooLargeError:
    return TooLargeError(f"The answer's body goes on after {most:,} bytes; the rest was not read.")


# Takes a piece of a body, and is awaited before the next one is read.
Pour = Callable[[bytes], Awaitable[None]]


class SpiltError(Exception):
    """What takes the pieces failed, and not the server: with `error`."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Source(Protocol):
    """aiohttp's stream of an answer's body, as far as it is used."""

    async def readany(self) -> bytes:
        """Read the next bytes; empty at the end."""


@dataclass(slots=True)
class Body:
    """What has been read so far, at most `keep` bytes of it kept. It grows as it is read, and outlives a failure."""

    keep: int
    most: int
    kept: bytearray = field(default_factory=bytearray)
    length: int = 0

    @property
    def truncated(self) -> bool:
        return self.length > len(self.kept)

    async def read(self, source: Source, encoding: str) -> None:
        """Read all of it. Raises `TooLargeError` past `most` bytes, packed or unpacked, and `GarbledError`."""
        async for piece in self._pieces(source, encoding):
            if (room := self.keep - len(self.kept)) > 0:
                self.kept += piece[:room]
            if self.length > self.most:
                raise too_large(self.most)
            # What has come already is read without waiting: the others' calls get their turn here.
            await asyncio.sleep(0)

    async def pour_out(self, source: Source, encoding: str, pour: Pour) -> None:
        """Read all of it and keep nothing: each piece is poured before the next one is read.

        Raises `TooLargeError` and `GarbledError` like `read`, and `SpiltError` for what pouring raises.
        """
        async for piece in self._pieces(source, encoding):
            if self.length > self.most:
                raise too_large(self.most)
            if not piece:
                continue
            try:
                await pour(piece)
            except Exception as error:
                raise SpiltError(error) from error
            await asyncio.sleep(0)

    async def _pieces(self, source: Source, encoding: str) -> AsyncIterator[bytes]:
        """All of them, unpacked and counted."""
        pieces = unpacked(source, encoding, self.most) if encoding in {"gzip", "x-gzip", "deflate"} else plain(source)
        async for piece in pieces:
            self.length += len(piece)
            yield piece


async def plain(source: Source) -> AsyncIterator[bytes]:
    while piece := await source.readany():
        yield piece


async def unpacked(source: Source, encoding: str, most: int) -> AsyncIterator[bytes]:
    unpacker = Unpacker(encoding)
    packed = 0
    try:
        while data := await source.readany():
            packed += len(data)
            if packed > most:
                raise too_large(most)
            for piece in unpacker.feed(data):
                yield piece
    except zlib.error:
        raise GarbledError(f"The answer says it is {encoding}, but it is not.") from None
    if packed and not unpacker.complete:
        raise GarbledError(f"The answer's {encoding} data ends in the middle.")


class Unpacker:
    """gzip of any number of members, or deflate with or without zlib's wrapping, in steps of `STEP` bytes at most."""

    def __init__(self, encoding: str) -> None:
        self._gzip = encoding != "deflate"
        self._unpack: zlib._Decompress | None = None
        self._members = 0

    @property
    def complete(self) -> bool:
        return self._unpack is not None and self._unpack.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Unpack `data`, piece by piece. Raises zlib.error, and `GarbledError` after `MOST_MEMBERS` members."""
        while data:
            if self._unpack is None:
                self._unpack = self._member(data)
            piece = self._unpack.decompress(data, STEP)
            yield piece
            data = self._unpack.unconsumed_tail
            # A full step may have used up its input and still hold back output.
            while len(piece) == STEP and not data:
                piece = self._unpack.decompress(b"", STEP)
                yield piece
            if self._unpack.eof:
                data = self._next_member(self._unpack.unused_data)

    def _member(self, start: bytes) -> "zlib._Decompress":
        if self._members == MOST_MEMBERS:
            raise GarbledError(f"The answer's gzip data has more than {MOST_MEMBERS} members; the rest was not read.")
        self._members += 1
        return zlib.decompressobj(self._window(start))

    def _next_member(self, rest: bytes) -> bytes:
        """Take up what follows a finished stream: another gzip member, or bytes that mean nothing."""
        if not (self._gzip and rest.startswith(b"\x1f")):
            return b""
        self._unpack = None
        return rest

    def _window(self, start: bytes) -> int:
        if self._gzip:
            return GZIP
        return ZLIB if start[0] & 0x0F == 8 else RAW
