"""`/hooks/SECRET`: what others call. The address is a secret, so it is told to nobody: to no log, page or report."""

import logging
from collections.abc import Callable
from functools import wraps

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from badgerjobs.web import problems
from badgerjobs.web.authentication import address_of
from badgerjobs.web.lengths import length_of
from webhooks.models import Standing, Verification
from webhooks.receiving import challenges
from webhooks.receiving.accepting import accept
from webhooks.receiving.addressed import Addressed, find
from webhooks.receiving.calls import BadCallError, Call, read
from webhooks.receiving.limiting import TooMuchError, count_bytes, count_call, count_wrong_try
from webhooks.receiving.responses import guard, response_to
from webhooks.receiving.ringing import BELL
from webhooks.verification import scheme_of

logger = logging.getLogger(__name__)

Door = Callable[[HttpRequest, str], HttpResponse]

HIDDEN = "/hooks/…"
# Where a server may have written the address, in which reports of errors and logs of requests look for it.
_PLACES = ("PATH_INFO", "RAW_URI", "REQUEST_URI", "SCRIPT_URL", "REDIRECT_URL")
# How a caller may prove who it is, for those who ask as HTTP does.
_ASKED: dict[str, str] = {
    Verification.BASIC: 'Basic realm="Badger Jobs"',
    Verification.BEARER: 'Bearer realm="Badger Jobs"',
}


def unheard(door: Door) -> Door:
    """Decorate a view whose address is a secret: whatever happens, nobody is told it, and no browser passes it on."""

    @csrf_exempt
    @wraps(door)
    def guarded(request: HttpRequest, secret: str) -> HttpResponse:
        _hide(request)
        try:
            request.get_host()
            response = door(request, secret)
        except DisallowedHost:
            response = problems.page(request, 400, "The request could not be read.")
        except Exception:
            logger.exception("A webhook could not be taken")
            response = problems.server_error(request)
        response._has_been_logged = True  # type: ignore[attr-defined]  # or Django would write its address down
        guard(response)
        return response

    return guarded


def _hide(request: HttpRequest) -> None:
    request.path = request.path_info = HIDDEN
    request.resolver_match = None
    for place in _PLACES:
        if place in request.META:
            request.META[place] = HIDDEN


@unheard
def receive(request: HttpRequest, secret: str) -> HttpResponse:
    """Store what comes, and answer: 202 with its id, unless the hook says something else. After commit."""
    try:
        hook = find(secret)
        return _heard(request, hook) if hook else _unknown(request)
    except BadCallError as error:
        return problems.page(request, error.status, str(error))
    except TooMuchError as error:
        return problems.page(request, 429, str(error), {"Retry-After": str(error.wait_s)})


def _heard(request: HttpRequest, hook: Addressed) -> HttpResponse:
    """Bounds, challenges and methods. Raises BadCallError and TooMuchError."""
    length = length_of(request)
    count_call(hook, length)
    if asked := challenges.answer_to(hook, request):
        return asked
    if request.method not in hook.methods:
        allowed = ", ".join(hook.methods)
        return problems.page(request, 405, f"What is sent here comes by {allowed}.", {"Allow": allowed})
    try:
        call = read(request, most=hook.max_bytes)
    except BadCallError as error:
        if length is None:
            count_bytes(hook, error.unheard)
        raise
    if length is None:
        count_bytes(hook, len(call.raw))
    return _judged(request, hook, call)


def _judged(request: HttpRequest, hook: Addressed, call: Call) -> HttpResponse:
    """Verify it, and store it whatever comes of that; or answer what is asked before the first call of all."""
    scheme = scheme_of(hook.verification)
    reason = scheme.verify(hook.settings, call, hook.now)
    if not reason and (asked := scheme.challenge(call)):
        return challenges.as_text(asked)
    accepted = accept(hook=hook, call=call, verdict=reason, now=hook.now)
    if accepted is None:
        return _unknown(request)
    if accepted.standing == Standing.ACCEPTED:
        BELL.touch()
    return _refused(request, hook, reason) if reason else response_to(hook, accepted)


def _refused(request: HttpRequest, hook: Addressed, reason: str) -> HttpResponse:
    asked = _ASKED.get(hook.verification)
    return problems.page(request, 401, reason, {"WWW-Authenticate": asked} if asked else None)


def _unknown(request: HttpRequest) -> HttpResponse:
    """Nothing is here, whatever is sent. Raises TooMuchError for who tries many."""
    count_wrong_try(address_of(request))
    return problems.page(request, 404, "There is nothing here.")
