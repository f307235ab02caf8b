"""One call under way: where it has got to, and what that amounts to when it ends, well or badly."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus

from aiohttp import ClientResponse

from badgerjobs.outbound.calls import READ_BYTES, Answer, Call, CallFailed, ErrorClass
from badgerjobs.outbound.guard import Hop
from badgerjobs.outbound.reading import Body, GarbledError, Pour, Source, SpiltError, TooLargeError
from badgerjobs.outbound.steps import REDIRECTS, Step

# All of an answer's headers together, in bytes.
LONGEST_HEADERS = 64 * 1024


class TooManyRedirectsError(GarbledError):
    """The server goes on redirecting."""


@dataclass(slots=True)
class Trip:
    call: Call
    step: Step
    body: Body
    hop: Hop = field(default_factory=lambda: Hop(""))
    response: ClientResponse | None = None
    redirects: int = 0
    started: float | None = None

    def depart(self) -> Hop:
        """Before each request. Waiting for a slot is over: from the first on, time counts."""
        if self.started is None:
            self.started = time.perf_counter()
        self.response = None
        self.hop = Hop(self.step.target.host)
        return self.hop

    def location(self, response: ClientResponse) -> str | None:
        """Where this answer sends us, if it does and may."""
        if response.status not in REDIRECTS or not self.call.redirects:
            return None
        return response.headers.get("Location")

    def turn(self, step: Step) -> None:
        """Follow a redirect. Raises `TooManyRedirectsError`."""
        if self.redirects == self.call.redirects:
            raise TooManyRedirectsError(f"Too many redirects: after {self.redirects} of them came another one.")
        self.redirects += 1
        self.step = step

    async def read(self, response: ClientResponse, clock: asyncio.Timeout) -> None:
        """Read all of the answer while the clock allows it. Raises `TooLargeError` and `GarbledError`."""
        if sum(len(name) + len(value) for name, value in response.raw_headers) > LONGEST_HEADERS:
            raise TooLargeError(
                f"{self.step.target.host} answered with more than {LONGEST_HEADERS // 1024} KB of headers."
            )
        self.response = response
        if response.status == 101:
            raise GarbledError(f"{self.step.target.host} switched to another protocol, which nobody had asked for.")
        await self._read_body(response.content, response.headers.get("Content-Encoding", "").strip().lower(), clock)

    async def _read_body(self, source: Source, encoding: str, clock: asyncio.Timeout) -> None:  # noqa: ARG002
        await self.body.read(source, encoding)

    def answer(self) -> Answer:
        """Sum up what has come. There must be a response."""
        assert self.response is not None  # noqa: S101
        return Answer(
            status=self.response.status,
            headers=[(_text(name), _text(value)) for name, value in self.response.raw_headers],
            body=bytes(self.body.kept),
            truncated=self.body.truncated,
            duration_ms=self._duration_ms(),
            url=self.step.target.text,
            redirects=self.redirects,
        )

    def failed(self, error_class: ErrorClass, message: str) -> CallFailed:
        answer = self.answer() if self.response else None
        return CallFailed(error_class, message, duration_ms=self._duration_ms(), answer=answer)

    def not_begun(self) -> str:
        return f"All connections to {self.step.target.host} are busy; the call was not made."

    def too_late(self) -> str:
        limit = f"{self.call.timeout_s:g} s"
        if self.response is None:
            return f"{self.step.target.host} did not answer within {limit}."
        return f"{self.step.target.host} did not finish its answer within {limit}: {self.body.length:,} bytes had come."

    def _duration_ms(self) -> int:
        return 0 if self.started is None else round((time.perf_counter() - self.started) * 1000)


# Is told an answer whose body is still to come.
Begun = Callable[[Answer], None]


@dataclass(slots=True)
class Poured(Trip):
    """One whose good answer is not kept, but poured out while it is read."""

    pour: Pour = field(kw_only=True)
    begun: Begun | None = field(kw_only=True)
    is_poured: bool = False

    async def _read_body(self, source: Source, encoding: str, clock: asyncio.Timeout) -> None:
        assert self.response is not None  # noqa: S101
        if not HTTPStatus.OK <= self.response.status < HTTPStatus.MULTIPLE_CHOICES:
            self.body = Body(self.call.keep_bytes, min(self.call.read_bytes, READ_BYTES))
            return await self.body.read(source, encoding)
        self.is_poured = True
        if self.begun:
            try:
                self.begun(self.answer())
            except Exception as error:
                raise SpiltError(error) from error
        self._listen(clock)
        return await self.body.pour_out(source, encoding, partial(self._poured, clock))

    async def _poured(self, clock: asyncio.Timeout, piece: bytes) -> None:
        """Let nothing count but the server's silence."""
        clock.reschedule(None)
        await self.pour(piece)
        self._listen(clock)

    def _listen(self, clock: asyncio.Timeout) -> None:
        clock.reschedule(asyncio.get_running_loop().time() + self.call.timeout_s)

    def answer(self) -> Answer:
        """Nothing was cut off where nothing was to be kept."""
        answer = super(Poured, self).answer()
        return replace(answer, truncated=False) if self.is_poured else answer

    def too_late(self) -> str:
        """Told by the silence, not by the whole."""
        if not self.is_poured:
            return super(Poured, self).too_late()
        silent = f"{self.step.target.host} sent nothing more for {self.call.timeout_s:g} s"
        return f"{silent}, and its answer is not complete: {self.body.length:,} bytes had come."


def _text(raw: bytes) -> str:
    """Read a header's bytes as text that JSON and PostgreSQL take."""
    return raw.decode("ascii") if raw.isascii() else raw.decode("utf-8", "replace")
