"""What holds for every request."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control

from badgerjobs.lib import zones
from badgerjobs.web import problems
from badgerjobs.web.lengths import length_of, most_of

Answer = Callable[[HttpRequest], HttpResponse]


# What others call. What they send is bounded where it is read, by a bound of each address.
HOOKS = "/hooks/"


def bounded_body(answer: Answer) -> Answer:
    """Middleware: refuse bodies larger than any endpoint takes before a byte of them is read."""

    def bounded(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(HOOKS):
            return answer(request)
        length, most = length_of(request), most_of(request)
        if length is None:
            # WSGI has no place for a body of unknown length: it would read as none at all.
            return problems.page(request, 411, "Say how long the request is: send Content-Length, and not in chunks.")
        if length > most:
            return problems.page(request, 413, f"The request has {length:,} bytes: at most {most:,} are taken.")
        return answer(request)

    return bounded


# Nothing but our own files: no inline script or style, no frame, no other host.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def without_nulls(answer: Answer) -> Answer:
    """Middleware: no text of ours holds a null character, and the database takes none, not even in a question.

    A page's address with one is of nothing, a query with one cannot be read, and a cookie with one was not sent. The
    API's own filters say which parameter is wrong.
    """

    def readable(request: HttpRequest) -> HttpResponse:
        for name in [name for name, value in request.COOKIES.items() if "\0" in value]:
            del request.COOKIES[name]
        if request.path_info.startswith("/api/"):
            return answer(request)
        if "\0" in request.path_info:
            raise Http404
        if "%00" in (query := request.META.get("QUERY_STRING", "")) or "\0" in query:
            raise BadRequest("There is a null character in the query.")
        return answer(request)

    return readable


def unstored_accounts(answer: Answer) -> Answer:
    """Middleware: browsers and proxies keep no page of somebody's account: a second factor's secret is on one."""

    def unstored(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        if request.path_info.startswith("/accounts/"):
            patch_cache_control(response, no_store=True)
        return response

    return unstored


def content_security_policy(answer: Answer) -> Answer:
    """Middleware: tell the browser to run and load nothing that is not ours."""

    def guarded(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return guarded


def reader_zone(answer: Answer) -> Answer:
    """Middleware: times are shown in the reader's zone too, which the browser tells by the cookie `zone`."""

    def placed(request: HttpRequest) -> HttpResponse:
        try:
            place = zones.zone(request.COOKIES.get("zone", "UTC"))
        except zones.UnknownZoneError:
            place = zones.zone("UTC")
        with timezone.override(place):
            return answer(request)

    return placed
