"""How often an application may call with all its tokens together, and how often with one of them.

Each answer to a token tells how it stands, as the IETF's draft has it (draft-ietf-httpapi-ratelimit-headers):

    RateLimit-Policy: "application";q=400;w=1, "token";q=20;w=1
    RateLimit: "application";r=391;t=1, "token";r=19;t=1
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from badgerjobs.lib import words
from badgerjobs.web.limits import count_all
from badgerjobs.web.problems import TooMany
from badgerjobs.workspaces.models import Application, Token

if TYPE_CHECKING:  # DRF reads this class while it imports its views
    from rest_framework.views import APIView

WINDOW_S = 1


@dataclass(frozen=True, slots=True)
class Quota:
    """So many requests a window may be made of one sort, and so many were."""

    name: str
    most: int
    made: int

    @property
    def is_kept(self) -> bool:
        return self.made <= self.most

    @property
    def left(self) -> int:
        return max(0, self.most - self.made)


def count_requests(token: Token, amount: int = 1) -> list[Quota]:
    """Count so many more, allowed or not, and say how that stands: of the application, and of the token if it has one.

    In one trip to the cache, however many limits there are.
    """
    most = allowed_to(token.application)
    limits = {f"requests:{token.application_id}": ("application", most)}
    if token.requests_per_second:
        limits[f"requests-of-token:{token.pk}"] = "token", min(token.requests_per_second, most)
    counted = count_all(list(limits), WINDOW_S, amount)
    return [Quota(*limit, made) for limit, made in zip(limits.values(), counted, strict=True)]


def allowed_to(application: Application) -> int:
    """How many requests a second it may make: as many as the installation takes, or fewer by its own choice."""
    most: int = settings.RATE_LIMIT_PER_SECOND
    return min(application.requests_per_second or most, most)


def count_request(request: HttpRequest, token: Token) -> None:
    """Count this one, and leave on it how that stands."""
    request.quotas = count_requests(token)  # type: ignore[attr-defined]


def count_more(request: Request, more: int) -> None:
    """Count so many beyond the first for what one request asks. Raises TooMany, a 429."""
    if not more:
        return
    token: Token = request.auth  # type: ignore[assignment]
    request._request.quotas = quotas = count_requests(token, more)  # type: ignore[attr-defined]
    _ensure_kept(quotas)


class WithinLimits(BaseThrottle):
    """`RATE_LIMIT_PER_SECOND` requests a second, 400 by default, or what the application and the token have for it."""

    def allow_request(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002
        """Raises TooMany, a 429 with `Retry-After`. Who has no token was not counted."""
        _ensure_kept(getattr(request._request, "quotas", ()))
        return True


def _ensure_kept(quotas: Iterable[Quota]) -> None:
    for quota in quotas:
        if not quota.is_kept:
            most = words.counted(quota.most, "request")
            said = f"This {quota.name} may make {most} a second, and has made more: try again in {{}}."
            raise TooMany(said, _until_next())


def _until_next() -> float:
    return WINDOW_S - time.time() % WINDOW_S


def told_limits(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: tell who was counted how many requests they may make, and how many are left of them."""

    def told(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        if quotas := getattr(request, "quotas", None):
            response["RateLimit-Policy"] = ", ".join(f'"{quota.name}";q={quota.most};w={WINDOW_S}' for quota in quotas)
            response["RateLimit"] = ", ".join(f'"{quota.name}";r={quota.left};t={WINDOW_S}' for quota in quotas)
        return response

    return told
