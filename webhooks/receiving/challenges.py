"""What providers ask before their first call, to see that the address is of somebody who wants to be called."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict

from badgerjobs.web import problems
from badgerjobs.web.lengths import length_of
from webhooks.models import Challenge
from webhooks.receiving.addressed import Addressed

WRONG_TOKEN = "The verify token is another one."  # noqa: S105  a sentence


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks: its method, its query, and itself for its headers."""

    request: HttpRequest
    query: QueryDict

    @property
    def method(self) -> str | None:
        return self.request.method


def answer_to(hook: Addressed, request: HttpRequest) -> HttpResponse | None:
    """The answer to the challenge that this hook expects; None for every other request."""
    if hook.challenge == Challenge.NONE:
        return None
    try:
        query = QueryDict(request.META.get("QUERY_STRING", ""))
    except TooManyFieldsSent:  # nobody asks so much: it is a call
        return None
    return _ANSWERS[hook.challenge](hook, Asked(request, query))


def as_text(challenge: str) -> HttpResponse:
    """It, and nothing else."""
    return HttpResponse(challenge, content_type="text/plain; charset=utf-8")


def _hub(hook: Addressed, asked: Asked) -> HttpResponse | None:
    """Meta, WebSub: GET with hub.mode and hub.challenge, and with the token that was agreed upon, if there is one."""
    challenge = asked.query.get("hub.challenge")
    if asked.method != "GET" or challenge is None:
        return None
    expected, given = str(hook.settings.get("verify_token", "")), asked.query.get("hub.verify_token", "")
    if expected and not hmac.compare_digest(expected.encode(), given.encode(errors="replace")):
        return problems.page(asked.request, HTTPStatus.FORBIDDEN, WRONG_TOKEN)
    return as_text(challenge)


def _echo(_: Addressed, asked: Asked) -> HttpResponse | None:
    """Dropbox: GET with challenge."""
    challenge = asked.query.get("challenge")
    return as_text(challenge) if asked.method == "GET" and challenge is not None else None


def _token(_: Addressed, asked: Asked) -> HttpResponse | None:
    """Microsoft: POST or GET with validationToken, and nothing in it. What has a body is a call."""
    token = asked.query.get("validationToken")
    if asked.method not in {"POST", "GET"} or token is None or length_of(asked.request) != 0:
        return None
    return as_text(token)


def _header(_: Addressed, asked: Asked) -> HttpResponse | None:
    """Okta: GET with a header of its own."""
    challenge = asked.request.headers.get("X-Okta-Verification-Challenge")
    return JsonResponse({"verification": challenge}) if asked.method == "GET" and challenge is not None else None


_ANSWERS: Mapping[str, Callable[[Addressed, Asked], HttpResponse | None]] = {
    Challenge.HUB: _hub,
    Challenge.ECHO: _echo,
    Challenge.TOKEN: _token,
    Challenge.HEADER: _header,
}
