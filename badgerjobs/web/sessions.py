"""When a session was last seen: for the list in which people recognise where they are signed in."""

from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from badgerjobs.web.middleware import Answer

# Pages that update themselves ask every second or two: that must not cost a write each.
SEEN_EVERY = timedelta(minutes=1)


def last_seen(answer: Answer) -> Answer:
    """Middleware, in the place of allauth's own, which writes with every request: this one does once a minute.

    It costs one statement, which finds nothing to do but for once a minute; nothing for whoever is not signed in.
    """

    def seen(request: HttpRequest) -> HttpResponse:
        key = request.session.session_key
        if key and request.user.is_authenticated:
            now = timezone.now()
            UserSession.objects.filter(session_key=key, last_seen_at__lt=now - SEEN_EVERY).update(
                last_seen_at=now, ip=get_adapter().get_client_ip(request)
            )
        return answer(request)

    return seen
