"""The guarded connections of one event loop."""

import asyncio
import re
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from socket import socket
from typing import Self

import certifi
from aiohttp import ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.client_proto import ResponseHandler

from badgerjobs.lib import env
from badgerjobs.outbound.addresses import Policy
from badgerjobs.outbound.conversations import Conversation
from badgerjobs.outbound.guard import AddressInfo, guarded_by, only
from badgerjobs.outbound.names import LookUp, Resolver
from badgerjobs.outbound.steps import Step
from badgerjobs.outbound.targets import Target, target_of

# Below the idle limit of the usual servers, so that they rarely close what is just being used again.
IDLE_S = 4.0
# Hosts beyond this many get a connection for one call: kept ones are open files, and a wildcard name has any number.
MOST_WARM_HOSTS = 256
MOST_HEADERS = 200
LONGEST_HEADER = 8190
# The call's own clock covers everything.
NO_TIMEOUT = ClientTimeout(total=None, connect=None, sock_read=None, sock_connect=None)


class OwnReceiver:
    """The one loopback address that a demo's jobs may call: URLs below `prefix`, in exactly that spelling."""

    # What is not a plain path (dot segments, encoded characters) could be read as another path by the server.
    # Written so that it can match in one way only: it is tried on what customers write.
    PLAIN = re.compile(r"(?:[A-Za-z0-9_~-]+(?:[./][A-Za-z0-9_~-]+)*/?)?")

    def __init__(self, prefix: str) -> None:
        if not prefix.endswith("/"):
            raise ValueError(f"{prefix} must end with a slash: what follows it must be below it.")
        self.prefix = prefix
        self.target = target_of(prefix)

    def admits(self, url: str) -> bool:
        """Whether this URL, as a caller wrote it, means the receiver. Never asked about redirects."""
        if not url.startswith(self.prefix):
            return False
        below = url.removeprefix(self.prefix).partition("#")[0].partition("?")[0]
        return bool(self.PLAIN.fullmatch(below))


class Connections:
    """Kept connections, single ones, and those to the own receiver: apart, so that none is borrowed by another's call.

    Every kept connection was checked when it was made, for the host and port it is kept under, by the one policy that
    this object has; so using it again checks nothing.
    """

    def __init__(
        self, policy: Policy, *, own_receiver: OwnReceiver | None, ca_file: str | None, look_up: LookUp | None
    ) -> None:
        self._policy = policy
        self._own = own_receiver
        self._ca_file = ca_file
        self._look_up = look_up
        self._open = AsyncExitStack()
        self._warm: OrderedDict[tuple[str, str, int], float] = OrderedDict()

    async def __aenter__(self) -> Self:
        tls = tls_context(self._ca_file)
        resolver = Resolver(self._look_up)
        guarded = guarded_by(self._policy)
        self._kept = await self._session(guarded, tls, resolver, keep=True)
        self._single = await self._session(guarded, tls, resolver, keep=False)
        if self._own:
            mine = only(self._own.target.host, self._own.target.port)
            self._to_own = await self._session(mine, tls, resolver, keep=False)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._open.aclose()

    async def request(self, step: Step, *, own: bool = False, fresh: bool = False) -> ClientResponse:
        """Send one request. Returns the start of its answer: status and headers. The caller reads or closes it.

        `own` goes to the own receiver, `fresh` over a connection of its own. Raises aiohttp's exceptions.
        """
        target = step.target
        session = self._to_own if own else self._single if fresh or not self._is_warm(target) else self._kept
        return await session.request(
            step.method, target.url, headers=step.headers, data=step.data, allow_redirects=False
        )

    def _is_warm(self, target: Target) -> bool:
        """Whether connections to this origin are kept; counts the call that asks."""
        now = time.monotonic()
        warm = self._warm
        while warm and next(iter(warm.values())) < now - IDLE_S:
            warm.popitem(last=False)
        if target.origin not in warm and len(warm) >= MOST_WARM_HOSTS:
            return False
        warm[target.origin] = now
        warm.move_to_end(target.origin)
        return True

    async def _session(
        self, open_socket: Callable[[AddressInfo], socket], tls: ssl.SSLContext, resolver: Resolver, *, keep: bool
    ) -> ClientSession:
        connector = TCPConnector(
            limit=0,  # slots and the engine bound what is in flight
            ssl=tls,
            resolver=resolver,
            use_dns_cache=False,  # ours ends look-ups that nobody waits for any more
            socket_factory=open_socket,
            **({"keepalive_timeout": IDLE_S} if keep else {"force_close": True}),
        )
        # aiohttp has no public way to bound what comes before an answer.
        ours: type[ResponseHandler] = Conversation
        connector._factory = partial(ours, loop=asyncio.get_running_loop())
        session = ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            timeout=NO_TIMEOUT,
            auto_decompress=False,  # reading.py does it in bounded steps
            max_line_size=LONGEST_HEADER,
            max_field_size=LONGEST_HEADER,
            max_headers=MOST_HEADERS,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )
        # It would send a GET again whenever its connection breaks, a new one too. We do so for a stale one only.
        session._retry_connection = False
        return await self._open.enter_async_context(session)


# Ephemeral keys only, and only ciphers that authenticate what they encrypt; TLS 1.3's own are all so.
CIPHERS = "@SECLEVEL=2:ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aNULL:!eNULL:!aDSS"


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Trust the authorities in `ca_file` or SSL_CERT_FILE (PEM), or else certifi's. Raises OSError."""
    context = ssl.create_default_context(cafile=ca_file or env.text("SSL_CERT_FILE") or certifi.where())
    # Said here, because some distributions build Python to take OpenSSL's list: PSK, SRP and CBC with SHA-1 among them.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    return context
