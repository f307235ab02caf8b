"""One request of a call, and the next one when the server redirects it."""

import io
from dataclasses import dataclass
from urllib.parse import urljoin

from multidict import CIMultiDict

from badgerjobs.outbound.calls import Call
from badgerjobs.outbound.headers import (
    check_headers,
    check_method,
    for_another_host,
    is_same_party,
    outgoing,
    without_body,
)
from badgerjobs.outbound.targets import Target, UnsendableError, target_of

REDIRECTS = {301, 302, 303, 307, 308}
HARMLESS_TWICE = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}
# aiohttp warns of larger bodies as bytes, since it writes those in one piece.
LONGEST_PIECE = 2**20


@dataclass(slots=True)
class Step:
    method: str
    target: Target
    headers: CIMultiDict[str]
    body: bytes

    @property
    def data(self) -> bytes | io.BytesIO | None:
        """The body as the connection takes it."""
        return (io.BytesIO(self.body) if len(self.body) > LONGEST_PIECE else self.body) or None

    @property
    def may_repeat(self) -> bool:
        """Whether it does no harm if the server sees it twice: by its method, or because it carries a key."""
        return self.method in HARMLESS_TWICE or "Idempotency-Key" in self.headers or "webhook-id" in self.headers


def first(call: Call) -> Step:
    """Make what a call sends first. Raises `UnsendableError`."""
    check_method(call.method)
    check_headers(call.headers)
    return Step(call.method, target_of(call.url), outgoing(call.headers), call.body)


def redirected(step: Step, status: int, location: str, sensitive: frozenset[str]) -> Step:
    """Make the request that follows a redirect, as browsers do. Raises `UnsendableError` when it leads nowhere."""
    try:
        target = target_of(urljoin(step.target.text, location.strip().replace(" ", "%20")))
    except ValueError as error:
        reason = str(error) if isinstance(error, UnsendableError) else "The URL is not one."
        raise UnsendableError(f"{step.target.host} redirects to a URL that cannot be called. {reason}") from None
    same = is_same_party(step.target, target)
    headers = step.headers if same else for_another_host(step.headers, sensitive)
    turns_to_get = step.method != "HEAD" if status == 303 else step.method == "POST" and status in {301, 302}
    if turns_to_get:
        return Step("GET", target, without_body(headers), b"")
    return Step(step.method, target, headers, step.body)
