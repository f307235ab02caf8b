"""How often an application may call, with all its tokens together."""

import time
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from badgerjobs.web.authentication import application_of
from badgerjobs.web.limits import count
from badgerjobs.workspaces.models import Application

if TYPE_CHECKING:  # DRF reads this class while it imports its views
    from rest_framework.views import APIView


class PerApplication(BaseThrottle):
    """So many requests in each second and for each application: `RATE_LIMIT_PER_SECOND`, 400 by default.

    An application may have fewer by its own choice, and never more.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002
        """False makes it a 429 with `Retry-After`."""
        if request.auth is None:
            return True
        return self.allows(application_of(request))

    def allows(self, application: Application, requests: int = 1) -> bool:
        """Whether the application may make so many more in this second; they count, allowed or not."""
        most = min(application.requests_per_second or settings.RATE_LIMIT_PER_SECOND, settings.RATE_LIMIT_PER_SECOND)
        return count(f"requests:{application.pk}", window_s=1, amount=requests) <= most

    def wait(self) -> float:
        """Seconds until the next window."""
        return 1 - time.time() % 1
