"""The only HTTP door: every request that leaves this service goes through `Client.send` or `Client.stream`.

`Client.transport()` gives libraries that want an httpx client the same door in httpx's words.
"""

import asyncio
from collections.abc import Callable
from typing import Self

import httpx
from aiohttp import ClientConnectionError, ClientConnectorError, ClientResponse

from badgerjobs.outbound.addresses import Policy
from badgerjobs.outbound.calls import READ_BYTES, Answer, Call, CallFailed, HostBusy
from badgerjobs.outbound.connections import Connections, OwnReceiver
from badgerjobs.outbound.failures import EXPECTED, explained
from badgerjobs.outbound.guard import HOP
from badgerjobs.outbound.headers import OURS
from badgerjobs.outbound.names import LookUp
from badgerjobs.outbound.reading import Body, Pour, SpiltError
from badgerjobs.outbound.slots import HostFullError, slots_of_this_loop
from badgerjobs.outbound.steps import Step, first, redirected
from badgerjobs.outbound.targets import UnsendableError
from badgerjobs.outbound.trips import Begun, Poured, Trip

__all__ = ["Answer", "Call", "CallFailed", "Client", "GuardedTransport", "HostBusy"]


class Client:
    """Sends calls: one for each event loop, entered with `async with`, then shared by everything on that loop.

    `host_slots` calls at once go to one host, fewer when several are slow at once (`Slots`); if a loop has several
    clients all the same, they share them. `own_receiver` is a URL prefix on loopback that may be called although the
    policy refuses it (the demo's `/echo/`). `ca_file` (PEM) holds the certificate authorities to trust in place of the
    usual ones. `look_up` stands in for DNS.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        host_slots: int = 100,
        own_receiver: str | None = None,
        ca_file: str | None = None,
        look_up: LookUp | None = None,
    ) -> None:
        self._policy = policy
        self._own = OwnReceiver(own_receiver) if own_receiver else None
        self._host_slots = host_slots
        self._connections = Connections(policy, own_receiver=self._own, ca_file=ca_file, look_up=look_up)

    async def __aenter__(self) -> Self:
        self._slots = slots_of_this_loop(self._host_slots)
        await self._connections.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._connections.__aexit__(*exc_info)

    def transport(self) -> "GuardedTransport":
        """For `httpx.AsyncClient(transport=...)`."""
        return GuardedTransport(self)

    async def send(self, call: Call) -> Answer:
        """Fetch the answer, whatever its status. Raises CallFailed; anything else is a bug or a cancellation.

        It is HostBusy when nothing was sent, because the host had no free slot.
        """
        return await self._sent(call, lambda step: Trip(call, step, Body(call.keep_bytes, call.read_bytes)))

    async def stream(self, call: Call, pour: Pour, begun: Begun | None = None) -> Answer:
        """The same, but the body of a good answer (200 to 299) is poured out piece by piece, unpacked, and not kept.

        Each piece is awaited before more is read: a server that is faster has to wait. `begun` is told the answer
        before its first piece, the body still empty. `timeout_s` bounds the way to the answer's first line, and from
        then on each silence of the server; what pouring takes counts for nothing. What `pour` and `begun` raise comes
        out as it is. Other statuses are kept like those of `send`.
        """
        try:
            return await self._sent(call, lambda step: _poured(call, step, pour, begun))
        except SpiltError as spilt:
            raise spilt.error from None

    async def _sent(self, call: Call, begin: Callable[[Step], Trip]) -> Answer:
        try:
            trip = begin(first(call))
        except UnsendableError as error:
            raise CallFailed("refused", str(error)) from None
        try:
            async with asyncio.timeout(call.timeout_s) as clock:
                await self._travel(trip, clock)
        except HostFullError as full:
            raise HostBusy(trip.not_begun(), full.wait_s) from None
        except TimeoutError:
            if trip.started is None:
                raise HostBusy(trip.not_begun(), self._slots.come_again_in(trip.step.target.host)) from None
            raise trip.failed("timeout", trip.too_late()) from None
        except EXPECTED as error:
            raise trip.failed(*explained(error, trip.step.target, trip.hop)) from error
        return trip.answer()

    async def _travel(self, trip: Trip, clock: asyncio.Timeout) -> None:
        own = self._own is not None and self._own.admits(trip.call.url)
        step: Step | None = trip.step
        while step:
            # Held for one hop: two calls that are redirected to each other's hosts must not wait for each other.
            # Who is on the way already is never sent home.
            has_begun = trip.started is not None
            async with self._slots.of(step.target.host, size=len(trip.call.body), stays=has_begun) as waited:
                if waited and not has_begun:
                    clock.reschedule(asyncio.get_running_loop().time() + trip.call.timeout_s)
                step = await self._take(trip, clock, own=own)
            if step:
                trip.turn(step)
                own = False

    async def _take(self, trip: Trip, clock: asyncio.Timeout, *, own: bool) -> Step | None:
        """Make one request. Returns the step that it is redirected to, or None when its answer has been read."""
        step = trip.step
        HOP.set(trip.depart())
        if not own:
            self._policy.check_name(step.target.host, step.target.port)
        response = await self._open(trip, own=own)
        try:
            if location := trip.location(response):
                return redirected(step, response.status, location, trip.call.sensitive)
            await trip.read(response, clock)
        finally:
            # Closes the connection, too, if there is more to come.
            response.release()
        return None

    async def _open(self, trip: Trip, *, own: bool) -> ClientResponse:
        step = trip.step
        try:
            return await self._connections.request(step, own=own)
        except ClientConnectionError as error:
            was_kept = not trip.hop.opened and not isinstance(error, ClientConnectorError)
            if not was_kept or not step.may_repeat:
                raise
        # The server had closed the kept connection just as it was used again: that says nothing about the call.
        return await self._connections.request(step, fresh=True)


def _poured(call: Call, step: Step, pour: Pour, begun: Begun | None) -> Trip:
    return Poured(call, step, Body(0, call.read_bytes), pour=pour, begun=begun)


class GuardedTransport(httpx.AsyncBaseTransport):
    """httpx's words for `Client.send`: for libraries that bring their own requests and take an httpx client.

    Answers are read whole, up to `read_bytes`, before they are handed over. Redirects are httpx's to follow, each hop
    through here. Failures are httpx's exceptions with the CallFailed as their cause.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        timeout_s = max((value for value in request.extensions.get("timeout", {}).values() if value), default=30.0)
        call = Call(
            request.method,
            str(request.url),
            headers=[(name, value) for name, value in request.headers.multi_items() if name not in OURS],
            body=await request.aread(),
            timeout_s=timeout_s,
            keep_bytes=READ_BYTES,
            redirects=0,
        )
        try:
            answer = await self._client.send(call)
        except CallFailed as failure:
            kind = HTTPX_ERRORS.get(failure.error_class, httpx.RemoteProtocolError)
            raise kind(failure.message, request=request) from failure
        return httpx.Response(answer.status, headers=_unpacked(answer), content=answer.body, request=request)


HTTPX_ERRORS: dict[str, type[httpx.TransportError]] = {
    "dns": httpx.ConnectError,
    "connect": httpx.ConnectError,
    "tls": httpx.ConnectError,
    "refused": httpx.UnsupportedProtocol,
    "timeout": httpx.ReadTimeout,
    "too_large": httpx.ReadError,
    "protocol": httpx.RemoteProtocolError,
}


def _unpacked(answer: Answer) -> list[tuple[str, str]]:
    """Give the headers that still hold once the body is decompressed and whole."""
    gone = {"content-encoding", "content-length", "transfer-encoding"}
    return [(name, value) for name, value in answer.headers if name.lower() not in gone]
