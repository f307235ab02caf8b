"""`POST /hooks/SECRET`: what others call. The address is a secret, so it is told to nobody: to no log and no page."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException

from badgerjobs.runs.fleet import database_now
from badgerjobs.web import problems
from badgerjobs.web.authentication import address_of
from badgerjobs.web.limits import count
from badgerjobs.web.throttling import allowed_to
from tasks.webhook_variables import BODY_BYTES
from webhooks.bodies import BadBodyError, read
from webhooks.models import Hook
from webhooks.services import TooManyWaitingError, call_hook

logger = logging.getLogger(__name__)

# Wrong addresses that one address may try in a minute. Guessing 256 bits is hopeless; hammering the database is not.
WRONG_TRIES_PER_MINUTE = 60
# Of all webhooks of an application together: what comes is kept as long as its runs are.
BYTES_PER_MINUTE = 60_000_000

Door = Callable[[HttpRequest, str], HttpResponse]


def unheard(door: Door) -> Door:
    """Decorate a view whose address is a secret: errors are logged without it, and no browser passes it on."""

    @csrf_exempt
    @wraps(door)
    def guarded(request: HttpRequest, secret: str) -> HttpResponse:
        try:
            response = door(request, secret)
        except Exception:
            logger.exception("A webhook could not be taken")
            response = problems.server_error(request)
        response._has_been_logged = True  # type: ignore[attr-defined]  # or Django would write its address down
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response

    return guarded


@unheard
def receive(request: HttpRequest, secret: str) -> HttpResponse:
    """Take a JSON body and make a run of what the address leads to: 202 with its id, after commit."""
    if request.method != "POST":
        return problems.page(request, 405, "Send a webhook here, by POST, and nothing else.", {"Allow": "POST"})
    hook = Hook.objects.by_secret(secret)
    if hook is None:
        return _unknown(request)
    if count(f"hooks:{hook.application_id}", window_s=1) > allowed_to(hook.application):
        return problems.page(request, 429, "Too many webhooks at once: send it again.", {"Retry-After": "1"})
    return _taken(request, hook)


def _taken(request: HttpRequest, hook: Hook) -> HttpResponse:
    try:
        called = call_hook(hook=hook, body=_body(request, hook), headers=request.headers, now=database_now())
    except BadBodyError as error:
        return problems.page(request, 400, str(error))
    except _TooLongError as error:
        return problems.page(request, 413, str(error))
    except (_TooMuchError, TooManyWaitingError) as error:
        return problems.page(request, 429, str(error), {"Retry-After": "60"})
    except APIException as gone:
        return problems.page(request, gone.status_code, str(gone.detail))
    answer: dict[str, Any] = {"id": called.run and str(called.run.pk)}
    return JsonResponse(answer | ({"reason": called.reason} if called.reason else {}), status=202)


class _TooLongError(Exception):
    pass


class _TooMuchError(Exception):
    pass


def _body(request: HttpRequest, hook: Hook) -> Any:
    """What came, within bounds. Raises BadBodyError, _TooLongError and _TooMuchError."""
    said = request.headers.get("Content-Length") or "0"
    length = int(said) if said.isdigit() else 0
    if length > BODY_BYTES:
        raise _TooLongError(f"The body has {length:,} bytes: a webhook may have {BODY_BYTES:,}.")
    if count(f"hook-bytes:{hook.application_id}", window_s=60, amount=length) > BYTES_PER_MINUTE:
        raise _TooMuchError("Too many bytes came by webhooks within a minute: send it again.")
    try:
        return read(request.body)
    except OSError:  # whoever calls went away
        raise BadBodyError("The body did not arrive whole.") from None


def _unknown(request: HttpRequest) -> HttpResponse:
    """Nothing is here; and whoever tries many is told to wait."""
    if count(f"wrong-hooks:{address_of(request)}", window_s=60) > WRONG_TRIES_PER_MINUTE:
        return problems.page(request, 429, "Too many wrong addresses were tried from here.", {"Retry-After": "60"})
    return problems.page(request, 404, "There is nothing here.")
