"""What holds for every request."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from badgerjobs.web import problems

Answer = Callable[[HttpRequest], HttpResponse]


def bounded_body(answer: Answer) -> Answer:
    """Middleware: refuse bodies larger than any endpoint takes before a byte of them is read."""

    def bounded(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            return problems.page(request, 413, f"The request has {int(length):,} bytes: at most {most:,} are taken.")
        if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            # WSGI has no place for a body of unknown length: it would read as none at all.
            return problems.page(request, 411, "Say how long the request is: send Content-Length, and not in chunks.")
        return answer(request)

    return bounded
