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
        return answer(request)

    return bounded
