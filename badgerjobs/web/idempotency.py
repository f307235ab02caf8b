"""`Idempotency-Key`: a creating request that is sent twice is done once, and answered twice alike."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import transaction
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.web.authentication import application_of
from badgerjobs.web.models import KeyedRequest
from badgerjobs.web.problems import Conflict

HEADER = "Idempotency-Key"

View = Callable[..., Response]


def idempotent(view: View) -> View:
    """Decorate a view's method. Without the header nothing changes; with it, within the time that keys are kept:

    1. The first request takes the key. A second one that comes meanwhile waits for the first to commit.
    2. The answer is stored in the transaction of the work itself: both happen, or neither.
    3. Who comes again with the same request gets that answer, marked `Idempotent-Replay: true`; a different request
       under the same key is a 409. A request that failed leaves nothing: it may be mended and sent again.
    """

    @wraps(view)
    def once(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER, "")
        if not key:
            return view(self, request, *args, **kwargs)
        if len(key) > 255 or not key.isprintable():
            raise ValidationError({HEADER: ["must have 1 to 255 printable characters."]})
        with transaction.atomic():
            taken = _take(request, key)
            if taken.status is not None:
                return Response(taken.answer, status=taken.status, headers={"Idempotent-Replay": "true"})
            response = view(self, request, *args, **kwargs)
            taken.status, taken.answer = response.status_code, response.data
            taken.save(update_fields=["status", "answer"])
            return response

    once.is_idempotent = True  # type: ignore[attr-defined]  # for the schema
    return once


def _take(request: Request, key: str) -> KeyedRequest:
    """The row of this key: ours, with no status yet, or the one of an earlier request like this."""
    fingerprint = _fingerprint(request)
    row, _ = KeyedRequest.objects.get_or_create(
        application=application_of(request), key=key, defaults={"fingerprint": fingerprint}
    )
    if row.fingerprint != fingerprint:
        raise Conflict(f"This {HEADER} was used for a different request. Send a new key with a new request.")
    return row


def _fingerprint(request: Request) -> str:
    # The parsed body, not the bytes: the parser has read the stream by now.
    text = f"{request.method} {request.get_full_path()} {sorted_text(request.data)}"
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def sorted_text(data: Any) -> str:
    """A JSON value as text that does not depend on the order of keys."""
    if isinstance(data, dict):
        return "{" + ",".join(f"{key!r}:{sorted_text(data[key])}" for key in sorted(data, key=str)) + "}"
    if isinstance(data, list):
        return "[" + ",".join(map(sorted_text, data)) + "]"
    return repr(data)
