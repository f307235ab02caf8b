"""The few addresses beside the API: health, metrics."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from badgerjobs.api import metrics
from badgerjobs.runs import health
from badgerjobs.web import problems
from badgerjobs.web.authentication import CHALLENGE
from badgerjobs.workspaces.models import Scope, Token


@problems.only_reading
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """200 while all is well, 503 when the database or the broker is down, dispatch is late, or no worker is seen."""
    found = health.health()
    return JsonResponse(health.as_dict(found), status=200 if found.status == "ok" else 503)


@problems.only_reading
def prometheus(request: HttpRequest) -> HttpResponse:
    """Metrics of the whole installation: from this machine itself, or with any valid token that may read."""
    token = _token(request)
    if not (_is_local(request) or token):
        said = "Metrics are given on loopback, or to a token: Authorization: Bearer TOKEN."
        return problems.page(request, 401, said, {"WWW-Authenticate": CHALLENGE})
    if token and not token.may(Scope.READ):
        return problems.page(request, 403, f"This token lacks the scope “{Scope.READ}”.")
    return HttpResponse(metrics.exposition(), content_type=metrics.CONTENT_TYPE)


def _is_local(request: HttpRequest) -> bool:
    # Behind a proxy on this machine everybody's address is loopback: then only a token counts. Not every proxy says
    # that it is one, so the setting alone is enough.
    if settings.BEHIND_PROXY:
        return False
    forwarded = any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "Via"))
    return request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1"} and not forwarded


def _token(request: HttpRequest) -> Token | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return Token.objects.by_token(secret.strip(), timezone.now()) if scheme.lower() == "bearer" else None
