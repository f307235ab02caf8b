"""The short way to hooks, past all that is for people: sessions, cookies, forms, messages, languages."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from badgerjobs.web.middleware import HOOKS, Answer
from webhooks.receiving.door import receive


def short_way(answer: Answer) -> Answer:
    """Middleware: take what is sent to a hook here, and let all else go its way.

    Whatever stands below this address is taken for a secret: no page of ours says of one that it is none. Somebody adds
    a slash: their webhooks are taken all the same.
    """

    def shortened(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(HOOKS):
            return answer(request)
        response = receive(request, request.path_info[len(HOOKS) :].removesuffix("/"))
        response.headers["X-Frame-Options"] = settings.X_FRAME_OPTIONS
        return response

    return shortened
