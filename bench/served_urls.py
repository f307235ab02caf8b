"""Every address, and one that a plain view answers with a constant: what anything costs at least here."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from badgerjobs.urls import handler400, handler403, handler404, handler429, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler429", "handler500", "urlpatterns"]

BYTES = 2048
VALUE = '{"text":"' + "v" * (BYTES - 11) + '"}'


def constant(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The same bytes that stand under each key."""
    return HttpResponse(VALUE, content_type="application/json")


urlpatterns = [path("bench-constant", constant), *urlpatterns]
