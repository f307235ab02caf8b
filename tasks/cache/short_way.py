"""The short way to cached values, past all that is for people: sessions, cookies, forms, messages, languages."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from badgerjobs.web.middleware import Answer
from tasks.cache import api

BELOW = "/api/v1/cache/"


def short_way(answer: Answer) -> Answer:
    """Middleware: answer who reads a value here, and let all else go its way.

    What stands before it holds for values too: the bound of a body, the headers of a secure answer, the policy. Two
    things of what stands behind it are done here: the host that is named must be ours, and no frame shows the answer.
    """

    def shortened(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(BELOW):
            return answer(request)
        name = request.path_info[len(BELOW) :]
        if "/" in name:
            return answer(request)
        request.get_host()  # raises DisallowedHost, a 400
        response = api.value(request, name=name) if name else api.values(request)
        response.headers["X-Frame-Options"] = settings.X_FRAME_OPTIONS
        return response

    return shortened
