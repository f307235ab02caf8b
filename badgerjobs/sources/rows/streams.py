"""An answer to a source's call as it comes, piece by piece: nothing is read before somebody wants it."""

import asyncio
import codecs
import zlib
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from badgerjobs.outbound.calls import Answer, Call, CallFailed, HostBusy
from badgerjobs.outbound.reading import GarbledError, Unpacker
from badgerjobs.sources.answers import charset_of
from badgerjobs.sources.fetch import answered, refusal_in, unanswered
from badgerjobs.sources.means import Means
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.results import NoValueError
from badgerjobs.sources.rows.pulling import PullError, of_unfetched

# Of one answer, unpacked.
MOST_BYTES = 4 * 1024**3
# So many pieces lie ready.
READY = 2
# A source that is busy in the middle of a pull is waited for: so often, so long if it does not say, and never longer.
WAITS, UNSAID_S, LONGEST_WAIT_S = 5, 2.0, 60.0
_PASSING = {429, 503}

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_GZIP = b"\x1f\x8b"


class Body(ABC):
    """Bytes as they come: of an answer, or of a file."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._plain = self._unpacked()

    @abstractmethod
    async def _next(self) -> bytes:
        """The next piece; empty at the end. Raises PullError where that is not all of it."""

    @property
    def charset(self) -> str:
        """The encoding that is said beside it; empty where none is."""
        return ""

    async def close(self) -> None:
        """Let go of it."""
        await self._plain.aclose()

    async def start(self, size: int) -> bytes:
        """So many bytes from its beginning, or what there is. They come again with the rest."""
        held = sum(map(len, self._held))
        while held < size and (piece := await anext(self._plain, b"")):
            self._held.append(piece)
            held += len(piece)
        self._held = [b"".join(self._held)]
        return self._held[0][:size]

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """All of it; of a file that is packed by gzip, what is in it. Raises PullError where it breaks off."""
        held, self._held = self._held, []
        for piece in held:
            yield piece
        async for piece in self._plain:
            yield piece

    async def _unpacked(self) -> AsyncGenerator[bytes, None]:
        begun = await self._begin_with(len(_GZIP))
        if not begun.startswith(_GZIP):
            yield begun
            while piece := await self._next():
                yield piece
            return
        unpacker, length = Unpacker("gzip"), 0
        try:
            while begun:
                for piece in unpacker.feed(begun):
                    length += len(piece)
                    if length > MOST_BYTES:
                        raise PullError("too_large", f"The file has more than {MOST_BYTES:,} bytes.", retry=False)
                    if piece:
                        yield piece
                begun = await self._next()
        except zlib.error:
            raise PullError("protocol", "The file begins like gzip, but it is not.") from None
        except GarbledError as error:
            raise PullError("protocol", str(error)) from None
        if not unpacker.complete:
            raise PullError("protocol", "The file's gzip data ends in the middle.")

    async def _begin_with(self, size: int) -> bytes:
        begun = b""
        while len(begun) < size and (piece := await self._next()):
            begun += piece
        return begun

    async def texts(self, encoding: str = "", errors: str = "replace") -> AsyncGenerator[str, None]:
        """The same as text: in this encoding; else as its first bytes say, or its Content-Type, or UTF-8.

        Raises UnicodeDecodeError for other bytes, unless `errors` says what becomes of them.
        """
        name = encoding or self.encoding_of(await self.start(len(codecs.BOM_UTF8)))
        decoder = codecs.getincrementaldecoder("utf-8-sig" if name == "utf-8" else name)(errors)
        async with aclosing(self.pieces()) as pieces:
            async for piece in pieces:
                if text := decoder.decode(piece):
                    yield text
        if rest := decoder.decode(b"", final=True):
            yield rest

    def encoding_of(self, begun: bytes) -> str:
        """As its first bytes say, or its Content-Type; UTF-8 if neither does."""
        found = next((name for bom, name in _BOMS if begun.startswith(bom)), "") or self.charset
        with suppress(LookupError):
            codecs.getincrementaldecoder(found)
            return found
        return "utf-8"


class Stream(Body):
    """A good answer under way: `head` is what it says before its body."""

    def __init__(self, source: DataSource, call: Call, means: Means, now: datetime) -> None:
        super().__init__()
        self._source, self._means, self._now = source, means, now
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(READY)
        self._ready = asyncio.Event()
        self.head = Answer(0, [], b"", truncated=False, duration_ms=0, url=call.url, redirects=0)
        send = partial(means.client.stream, pour=self._queue.put, begun=self._begin)
        asked = answered(source, replace(call, read_bytes=MOST_BYTES), means, now, send)
        self._task = asyncio.create_task(asked)
        self._task.add_done_callback(self._end)

    def _begin(self, head: Answer) -> None:
        self.head = head
        self._ready.set()

    def _end(self, _: asyncio.Task[tuple[Answer, Call]]) -> None:
        self._ready.set()
        with suppress(asyncio.QueueFull):  # then those who read will see that it has ended
            self._queue.put_nowait(b"")

    @property
    def charset(self) -> str:
        """As its Content-Type has it."""
        return charset_of(self.head)

    async def begun(self) -> None:
        """Wait for a good answer. Raises PullError for any other, and for none."""
        await self._ready.wait()
        if not self.head.status:
            answer, sent = self._result()
            not_good = refusal_in(answer, self._source, sent, self._now)
            assert not_good is not None  # noqa: S101  a good one would have begun
            raise of_unfetched(not_good, answer)

    async def close(self) -> None:
        """Let go of the connection."""
        await super().close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _next(self) -> bytes:
        """The next piece; empty at the end. Raises PullError where that is not the end of the answer."""
        if self._queue.empty() and self._task.done():
            self._result()
            return b""
        if piece := await self._queue.get():
            return piece
        self._result()
        return b""

    def _result(self) -> tuple[Answer, Call]:
        try:
            return self._task.result()
        except HostBusy as busy:
            raise PullError("busy", busy.message, retry_after=timedelta(seconds=busy.wait_s)) from None
        except CallFailed as failure:
            raise of_unfetched(unanswered(failure, self._now), failure.answer) from None
        except NoValueError as error:
            raise of_unfetched(error.unfetched) from None


@asynccontextmanager
async def opened(
    source: DataSource, call: Call, means: Means, now: datetime, *, patient: bool = False
) -> AsyncIterator[Stream]:
    """Send the call with its credentials. Raises PullError for an answer that is not good, and for none.

    `patient`: a server that is busy is asked again when it says, a few times.
    """
    stream = await _begun(source, call, means, now, WAITS if patient else 0)
    try:
        yield stream
    finally:
        await stream.close()


async def _begun(source: DataSource, call: Call, means: Means, now: datetime, waits: int) -> Stream:
    while True:
        stream = Stream(source, call, means, now)
        try:
            await stream.begun()
        except PullError as error:
            await stream.close()
            wait_s = error.retry_after.total_seconds() if error.retry_after else UNSAID_S
            passes = error.error_class == "busy" or error.status in _PASSING
            if not (waits and passes and wait_s <= LONGEST_WAIT_S):
                raise
            waits -= 1
            await asyncio.sleep(wait_s)
        except BaseException:
            await stream.close()
            raise
        else:
            return stream
