"""One call under way: where it has got to, and what that amounts to when it ends, well or badly."""

import time
from dataclasses import dataclass, field

from aiohttp import ClientResponse

from badgerjobs.outbound.calls import Answer, Call, CallFailed, ErrorClass
from badgerjobs.outbound.guard import Hop
from badgerjobs.outbound.reading import Body, GarbledError, TooLargeError
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

    async def read(self, response: ClientResponse) -> None:
        """Read all of the answer. Raises `TooLargeError` and `GarbledError`."""
        if sum(len(name) + len(value) for name, value in response.raw_headers) > LONGEST_HEADERS:
            raise TooLargeError(
                f"{self.step.target.host} answered with more than {LONGEST_HEADERS // 1024} KB of headers."
            )
        self.response = response
        if response.status == 101:
            raise GarbledError(f"{self.step.target.host} switched to another protocol, which nobody had asked for.")
        await self.body.read(response.content, response.headers.get("Content-Encoding", "").strip().lower())

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


def _text(raw: bytes) -> str:
    """Read a header's bytes as text that JSON and PostgreSQL take."""
    return raw.decode("ascii") if raw.isascii() else raw.decode("utf-8", "replace")
