"""Errors as their reader wants them: a page that helps for a browser, problem+json for programs."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from badgerjobs.web import problems

# Below these nobody reads HTML.
_FOR_PROGRAMS = ("/api/", "/echo/", "/graphql", "/metrics", "/healthz", "/hooks/")


def wants_page(request: HttpRequest) -> bool:
    """Whether a person is reading: a browser, and an address that is not the API's."""
    return not request.path_info.startswith(_FOR_PROGRAMS) and "text/html" in request.headers.get("Accept", "")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler400`."""
    if not wants_page(request):
        return problems.bad_request(request, exception)
    return page(request, 400, "This request could not be read", "Go back, load the page again, and try once more.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler403`: a member whose role is too low, for one."""
    said = str(exception) or "You may not do this."
    if not wants_page(request):
        return problems.page(request, 403, said)
    return page(request, 403, "Your role does not allow this", said, asks_owner=True)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler404`. What is somebody else's looks like what does not exist."""
    if not wants_page(request):
        return problems.not_found(request, exception)
    said = "It may have been deleted, or it belongs to a workspace that you are not a member of."
    return page(request, 404, "There is nothing here", said)


def too_many(request: HttpRequest) -> HttpResponse:
    """The `handler429` of allauth: somebody, or their whole network, tries too often."""
    return page(request, 429, "Too many tries", "Wait a few minutes, then go back and try again.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`; called while the exception is being handled, so it asks the database for nothing."""
    answer = problems.server_error(request)
    if not wants_page(request):
        return answer
    title = "Something went wrong on our side" if answer.status_code == 500 else "The database cannot answer now"
    said = "It has been logged. Nothing that you typed was saved: go back, and try again in a moment."
    return page(request, answer.status_code, title, said)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  what went wrong helps forgers
    """Django's `CSRF_FAILURE_VIEW`: a form of another site's, or one that was open while somebody signed in."""
    if not wants_page(request):
        return problems.page(request, 403, "This form was not made by a page of ours, or is too old.")
    said = "Go back, load the page again and send it once more: you may have signed in or out since it was opened."
    return page(request, 403, "This form has gone stale", said)


def page(request: HttpRequest, status: int, title: str, said: str, **more: Any) -> HttpResponse:
    """A page that says what is wrong and what to do next; it needs no database."""
    response = render(request, "error.html", {"title": title, "said": said, "status": status, **more}, status=status)
    response["Cache-Control"] = "no-store"
    return response
