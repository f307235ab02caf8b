"""A URL as it will be called: read once, by rules strict enough that nobody downstream can read it differently."""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote

from yarl import URL

LONGEST_URL = 8000

PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]*))?")
UNPRINTABLE = re.compile(
    r"[\x00-\x20\x7f-\xa0\\\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ud800-\udfff]"
)
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
PORTS = {"http": 80, "https": 443}
# What RFC 3986 allows in a path or query, and "%": what is written already encoded goes out as it was written.
VERBATIM = "!#$%&'()*+,/:;=?@[]~"


class UnsendableError(ValueError):
    """A URL, method or header that no server can be sent. The message says what would be right."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: `url` for the connection, `text` for people, `origin` for what may be shared between hops."""

    url: URL
    text: str
    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


def check_url(url: str) -> None:
    """Raise `UnsendableError` if no job can call this URL. Looks nothing up: addresses are checked when called."""
    target_of(url)


# Jobs call the same URLs again and again; 1,024 of the longest take some 20 MB at most.
@lru_cache(maxsize=1024)
def target_of(url: str) -> Target:
    """Read a URL. Raises `UnsendableError`.

    Host names are mapped by IDNA first, so that what looks like `127.0.0.1` is `127.0.0.1`. Path and query go out as
    written: only what no URL may contain is percent-encoded, dot segments stay, the fragment is dropped.
    """
    scheme, authority, path, query = _split(url)
    host, port = _host_and_port(authority, scheme)
    built = URL.build(
        scheme=scheme,
        host=f"[{host}]" if ":" in host else host,
        port=port if port != PORTS[scheme] else None,
        path=quote(path, safe=VERBATIM) or "/",
        query_string=quote(query[1:], safe=VERBATIM),
        encoded=True,
    )
    return Target(built, str(built), scheme, host, port)


def _split(url: str) -> tuple[str, str, str, str]:
    if len(url) > LONGEST_URL:
        raise UnsendableError(f"The URL is longer than {LONGEST_URL:,} characters.")
    if match := UNPRINTABLE.search(url):
        raise UnsendableError(
            f"The URL contains {match[0]!r}; write it percent-encoded, as {quote(match[0], errors='replace')}."
        )
    match = PARTS.fullmatch(url)
    if not match:
        raise UnsendableError("The URL must be complete, such as https://example.com/path.")
    scheme = match[1].lower()
    if scheme not in PORTS:
        raise UnsendableError(f"Only http:// and https:// can be called, not {scheme}://.")
    return scheme, match[2], match[3], match[4] or ""


def _host_and_port(authority: str, scheme: str) -> tuple[str, int]:
    if "@" in authority:
        raise UnsendableError("The URL contains a user name or password; send them in an Authorization header instead.")
    match = AUTHORITY.fullmatch(authority)
    if not match or not match[1]:
        raise UnsendableError("The URL has no host, such as example.com in https://example.com/path.")
    port = int(match[2]) if match[2] and len(match[2]) < 6 else PORTS[scheme] if not match[2] else 0
    if not 0 < port < 65536:
        raise UnsendableError("The URL's port must be a number from 1 to 65535.")
    host = match[1]
    return (_ipv6(host[1:-1]) if host.startswith("[") else _name(host)), port


def _ipv6(text: str) -> str:
    try:
        address = IPv6Address(text)
    except AddressValueError:
        raise UnsendableError(f"[{text}] is not an IPv6 address.") from None
    if address.scope_id:
        raise UnsendableError(f"[{text}] names a network interface of the caller; such addresses cannot be called.")
    return address.compressed


def _name(text: str) -> str:
    """Bring a host name to its one spelling: IDNA, lower case, no dot at the end."""
    host = text.lower() if text.isascii() else _idna(text)
    host = host.removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise UnsendableError(f"{text!r} is not a host name.")
    if NUMBER.fullmatch(labels[-1]):
        # Resolvers take 127.1, 2130706433 and 0x7f.1 for addresses. One spelling is enough.
        _ipv4(host)
    return host


def _ipv4(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise UnsendableError(f"{text} is not an IPv4 address in its usual spelling, such as 192.0.2.1.") from None


def _idna(text: str) -> str:
    try:
        return (URL.build(scheme="http", host=text).raw_host or "").lower()
    except ValueError:
        raise UnsendableError(f"{text!r} is not a host name.") from None
