"""Every address, and two of plain views: what anything costs at least here, and what anything that is kept does."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.models import LogLine
from badgerjobs.urls import handler400, handler403, handler404, handler429, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler429", "handler500", "urlpatterns"]

BYTES = 2048
INSERT = "/bench-insert"
VALUE = '{"text":"' + "v" * (BYTES - 11) + '"}'


def constant(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The same bytes that stand under each key."""
    return HttpResponse(VALUE, content_type="application/json")


def insert(request: HttpRequest) -> HttpResponse:
    """Keep what was sent in one row, and name it."""
    line = LogLine.objects.create(
        run_id=uuid7(), application_id=0, level="info", message=request.body.decode(), created_at=timezone.now()
    )
    answer = JsonResponse({"id": str(line.pk)}, status=202)
    answer["Content-Length"] = str(len(answer.content))  # which is a middleware's doing
    return answer


def bare(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer the insert ahead of all middleware, as Django does for a view in a project that has none."""
    return lambda request: insert(request) if request.path_info == INSERT else get_response(request)


urlpatterns = [path("bench-constant", constant), *urlpatterns]
