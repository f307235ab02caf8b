"""Which methods and headers a call may have, and which of them another host may see."""

import re
from collections.abc import Iterable

from multidict import CIMultiDict

from badgerjobs.outbound.targets import Target, UnsendableError

MOST_HEADERS = 100
LONGEST_HEADERS = 32 * 1024

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(r"[\t\x20-\x7e]*")
# They describe one connection, and the client that owns it writes them. `Host` would let a job speak to a server in
# another name than the one that was checked.
OURS = {
    "connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "te", "trailer",
    "transfer-encoding", "upgrade",
}  # fmt: skip
# WSGI servers take these from a proxy that they trust, for what decides which program answers.
OF_A_PROXY = {"path-info", "script-name"}
DEFAULTS = {"User-Agent": "BadgerJobs/1", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
CREDENTIAL = re.compile(r"auth|cookie|token|secret|api[-_]?key|password|credential|session|signature", re.IGNORECASE)
OF_A_BODY = ("Content-Type", "Content-Encoding", "Content-Language", "Content-Location")
# CONNECT asks for a tunnel; TRACE returns credentials to whoever reads the body.
REFUSED_METHODS = {"CONNECT", "TRACE"}

# What follows a redirect to another host. Of every other header only its author knows whether it is a credential.
HARMLESS = frozenset({"accept", "accept-language", "cache-control", "content-language", "content-type", "user-agent"})


def check_method(method: str) -> None:
    """Raise `UnsendableError` unless `method` is an upper-case HTTP method that asks for a resource."""
    if not TOKEN.fullmatch(method) or method != method.upper() or method in REFUSED_METHODS:
        raise UnsendableError(
            f"{method!r} cannot be sent as a method; use GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS."
        )


def check_headers(headers: Iterable[tuple[str, str]]) -> None:
    """Raise `UnsendableError` for the first header that cannot be sent."""
    size = count = 0
    for name, value in headers:
        if not TOKEN.fullmatch(name):
            raise UnsendableError(f"{name!r} is not a header name: letters, digits and hyphens only.")
        _check_name(name)
        if not VALUE.fullmatch(value):
            raise UnsendableError(
                f"The value of the header {name} may have printable ASCII characters only, in one line."
            )
        size += len(name) + len(value)
        count += 1
    if count > MOST_HEADERS or size > LONGEST_HEADERS:
        raise UnsendableError(f"A call may have {MOST_HEADERS} headers, {LONGEST_HEADERS // 1024} KB in all.")


def folded(name: str) -> str:
    """Write a name as it is compared: many servers read `Content_Length` as `Content-Length`."""
    return name.lower().replace("_", "-")


def _check_name(name: str) -> None:
    read_as = folded(name)
    if read_as in OURS or read_as.startswith("proxy-"):
        raise UnsendableError(f"The header {name} belongs to the connection and cannot be set.")
    if read_as in OF_A_PROXY:
        raise UnsendableError(f"The header {name} belongs to the server's own proxy and cannot be set.")
    if "_" in name and read_as.startswith("webhook-"):
        raise UnsendableError(f"The header {name} would be read as {read_as}, which belongs to the signature.")


def outgoing(headers: Iterable[tuple[str, str]]) -> CIMultiDict[str]:
    """Make the headers as sent: the caller's, and ours where the caller says nothing."""
    sent = CIMultiDict(headers)
    for name, value in DEFAULTS.items():
        sent.setdefault(name, value)
    return sent


def for_another_host(headers: CIMultiDict[str], sensitive: frozenset[str]) -> CIMultiDict[str]:
    """Leave out what proves who the caller is: names the caller marked, and names that speak of credentials."""
    marked = {folded(name) for name in sensitive}
    return CIMultiDict(
        (name, value) for name, value in headers.items() if folded(name) not in marked and not CREDENTIAL.search(name)
    )


def without_body(headers: CIMultiDict[str]) -> CIMultiDict[str]:
    kept = headers.copy()
    for name in OF_A_BODY:
        kept.popall(name, None)
    return kept


def is_same_party(here: Target, there: Target) -> bool:
    """Whether credentials for `here` may go `there`: the same origin, or its upgrade from http to https."""
    upgraded = (here.scheme, here.port, there.scheme, there.port) == ("http", 80, "https", 443)
    return here.origin == there.origin or (upgraded and here.host == there.host)


def sensitive(names: Iterable[str]) -> frozenset[str]:
    """Those of these that never reach another host by a redirect, in lower case."""
    return frozenset(map(str.lower, names)) - HARMLESS
