"""What comes to a hook, read from the request within bounds."""

import ipaddress
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest

from badgerjobs.lib import vault
from badgerjobs.lib.storable import cleaned
from badgerjobs.web.authentication import address_of
from badgerjobs.web.late_bodies import BODY_S, Arriving, LateBodyError
from badgerjobs.web.lengths import length_of

# So much of the headers of a call is kept, and so much of its query, in characters.
MOST_HEADERS = 16_000
MOST_QUERY = 8_000
# Of a body that is too long so much is read and thrown away, in such pieces, in bytes; and for so many seconds.
MOST_UNHEARD = 10_000_000
PIECE = 64 * 1024
UNHEARD_S = 1.0


class BadCallError(Exception):
    """A call that cannot be taken: `status` is what it is answered with, the message says why.

    `unheard` are the bytes of its body that were read and thrown away.
    """

    def __init__(self, status: HTTPStatus, said: str, unheard: int = 0) -> None:
        super().__init__(said)
        self.status, self.unheard = status, unheard


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a hook: its body byte for byte, its headers in lower case → value as they came.

    `query` is what stands behind the question mark, as it came. `address` is that of whoever called; None where nobody
    knows.
    """

    method: str
    query: str
    headers: Mapping[str, str]
    raw: bytes
    address: str | None


def read(request: HttpRequest, *, most: int) -> Call:
    """What was sent, if its body has no more than so many bytes. Raises BadCallError."""
    return Call(
        method=request.method or "",
        query=request.META.get("QUERY_STRING", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        raw=_body(request, most),
        address=_address(request),
    )


def _body(request: HttpRequest, most: int) -> bytes:
    length = length_of(request)
    if length is None:
        return _in_chunks(request, most)
    if length > most:
        said = f"The body has {length:,} bytes: at most {most:,} are taken."
        raise _too_long(request, said, heard=length <= MOST_UNHEARD)
    try:
        # Not `request.body`, which has a bound of its own.
        raw: bytes = request.read(length) if length else b""
    except LateBodyError:
        raise _late() from None
    except OSError:
        raw = b""
    if len(raw) < length:  # whoever calls went away
        raise _cut_off()
    return raw


def _in_chunks(request: HttpRequest, most: int) -> bytes:
    """A body of unknown length. Django takes it for none at all: it is read from the server itself."""
    if not request.META.get("wsgi.input_terminated"):
        said = "Say how long the body is: send Content-Length, and not in chunks."
        raise BadCallError(HTTPStatus.LENGTH_REQUIRED, said)
    try:
        raw: bytes = request.META["wsgi.input"].read(most + 1)
    except LateBodyError:
        raise _late() from None
    except Exception:  # the server has many words for chunks that are none
        raise _cut_off() from None
    if len(raw) > most:
        raise _too_long(request, f"The body is longer than {most:,} bytes: no more are taken.", len(raw))
    return raw


def _too_long(request: HttpRequest, said: str, taken: int = 0, *, heard: bool = True) -> BadCallError:
    """What is left is read, as far as that is sensible: many hear nothing before all is sent that they have to say.

    So many bytes of it were `taken` before. It is not `heard` out where it says that it goes on for longer than that.
    """
    left, body = MOST_UNHEARD, request.META["wsgi.input"]
    if isinstance(body, Arriving):
        if heard:
            body.hurry(UNHEARD_S)
        else:
            body.end()
    with suppress(Exception):
        while heard and left > 0 and (piece := body.read(PIECE)):
            left -= len(piece)
    return BadCallError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said, taken + MOST_UNHEARD - left)


def _late() -> BadCallError:
    return BadCallError(
        HTTPStatus.REQUEST_TIMEOUT, f"The body did not arrive within {BODY_S:g} seconds: send it again."
    )


def _cut_off() -> BadCallError:
    return BadCallError(HTTPStatus.BAD_REQUEST, "The body did not arrive whole: send it again.")


def _address(request: HttpRequest) -> str | None:
    """Who calls. A proxy may name a port, too; and an address of IPv4 may be written as one of IPv6."""
    said = address_of(request)
    for text in (said, said.rpartition(":")[0].strip("[]")):
        try:
            found = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            continue
        inner = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
        return str(inner or found)
    return None


def kept_query(call: Call, secret: str) -> str:
    """What is kept of a query: all that the database can hold, without the hook's own secret."""
    return cleaned(call.query.replace(secret, vault.MASK)[:MOST_QUERY])  # type: ignore[no-any-return]


def kept_headers(
    call: Call, secret: str, proofs: Collection[str] = (), credentials: Collection[str] = ()
) -> dict[str, str]:
    """What is kept of the headers: name → value, masked where whoever has it could use it.

    `credentials` are headers, in lower case, that are masked whatever they are called. Of the `proofs` nobody could
    make use: by them the call can be verified once more. A proxy may have written the hook's own address into one of
    the others. What comes after 16,000 characters is left out.
    """
    kept: dict[str, str] = {}
    left = MOST_HEADERS
    for name, value in call.headers.items():
        left -= len(name) + len(value)
        if left < 0:
            break
        hidden = is_hidden(name, proofs, credentials)
        kept[name.title()] = vault.MASK if hidden else value.replace(secret, vault.MASK)
    return cleaned(kept)  # type: ignore[no-any-return]


def is_hidden(name: str, proofs: Collection[str], credentials: Collection[str]) -> bool:
    """Whether whoever has this header could use it. Its name is in lower case."""
    return (name in credentials or vault.is_secret(name)) and name not in proofs
