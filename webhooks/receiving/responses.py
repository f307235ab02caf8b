"""What whoever calls is answered, once what came is stored.

The answer is on our own origin, and its text is a customer's: no browser may take it for a page of ours.
"""

from http import HTTPStatus

from django.http import HttpResponse, JsonResponse

from webhooks.models import Response
from webhooks.models.hook import RESPONSE_TYPES
from webhooks.receiving.accepting import Accepted
from webhooks.receiving.addressed import Addressed

STATUSES = range(200, 300)
# Those that have no body.
EMPTY = {HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT}

POLICY = "default-src 'none'; sandbox"


def response_to(hook: Addressed, accepted: Accepted) -> HttpResponse:
    """The answer that this hook gives: the same to a duplicate as to the first."""
    match hook.response:
        case Response.EMPTY:
            return HttpResponse(status=HTTPStatus.OK, content_type="text/plain; charset=utf-8")
        case Response.FIXED:
            return _fixed(hook)
    answer = {"id": str(accepted.id)}
    if accepted.duplicate_of:
        answer["duplicate_of"] = str(accepted.duplicate_of)
    return JsonResponse(answer, status=HTTPStatus.ACCEPTED)


def _fixed(hook: Addressed) -> HttpResponse:
    """What it was told to say, as far as that can be said. Whoever set it was told what can."""
    status = hook.response_status if hook.response_status in STATUSES else HTTPStatus.OK
    kind = hook.response_type if hook.response_type in RESPONSE_TYPES else RESPONSE_TYPES[0]
    body = "" if status in EMPTY else hook.response_body
    return HttpResponse(body, status=status, content_type=f"{kind}; charset=utf-8")


def guard(response: HttpResponse) -> None:
    """Set what holds for every answer of a hook: it is kept nowhere, run nowhere, and tells no address."""
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    if response.status_code != HTTPStatus.NO_CONTENT:
        response.headers["Content-Length"] = str(len(response.content))
