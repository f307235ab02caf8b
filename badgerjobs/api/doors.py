"""The few addresses beside the API: the front door, health, metrics."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from badgerjobs.api import metrics
from badgerjobs.runs import health
from badgerjobs.web import problems
from badgerjobs.workspaces.models import Token


@require_safe
def front_door(request: HttpRequest) -> JsonResponse:
    """Tell whoever opens the address in a browser where things are."""
    places = {"api": "/api/v1/", "schema": "/api/v1/schema/", "health": "/healthz"}
    return JsonResponse(
        {"name": "Badger Jobs", **{name: request.build_absolute_uri(at) for name, at in places.items()}}
    )


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """200 while all is well, 503 when the database or the broker is down, dispatch is late, or no worker is seen."""
    found = health.health()
    return JsonResponse(health.as_dict(found), status=200 if found.status == "ok" else 503)


@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """Metrics of the whole installation: from this machine itself, or with any valid token that may read."""
    if not (_is_local(request) or _may_read(request)):
        return problems.page(request, 401, "Metrics are given on loopback, or to a token: Authorization: Bearer TOKEN.")
    return HttpResponse(metrics.exposition(), content_type=metrics.CONTENT_TYPE)


def _is_local(request: HttpRequest) -> bool:
    # Behind a proxy on this machine everybody's address is loopback: then only a token counts.
    forwarded = any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "Via"))
    return request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1"} and not forwarded


def _may_read(request: HttpRequest) -> bool:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    token = Token.objects.by_token(secret.strip(), timezone.now()) if scheme.lower() == "bearer" else None
    return token is not None and token.may("read")
