"""Who calls: a bearer token names the application for which everything in the request is done."""

from typing import NoReturn

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from badgerjobs.web.limits import count
from badgerjobs.web.problems import TooMany
from badgerjobs.web.throttling import count_request
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application, Token

# Wrong tokens that one address may try in a minute. Guessing 256 bits is hopeless; hammering the database is not.
WRONG_TRIES_PER_MINUTE = 60

CHALLENGE = 'Bearer realm="Badger Jobs"'


def application_of(request: Request) -> Application:
    """The application of the token that this request carries."""
    token: Token = request.auth  # type: ignore[assignment]  # DRF's stubs know only its own tokens
    return token.application


def holder_of(request: Request) -> audit.Actor:
    """Who does what this request asks for, as the audit log will name them: the token, and where it was used."""
    token: Token = request.auth  # type: ignore[assignment]
    return audit.holder(token, address_of(request))


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer TOKEN`. Unknown, revoked and expired tokens read alike from outside.

    Whoever comes in is counted here, before anything else is refused: so each answer can tell what is left.
    """

    def authenticate(self, request: Request) -> tuple[None, Token] | None:
        """No header: nobody, whom the permission refuses. A wrong one: 401 with what is wrong about it."""
        token = bearer_of(request)
        if token is None:
            return None
        count_request(request._request, token)
        return None, token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """What a 401 asks for."""
        return CHALLENGE


def bearer_of(request: Request | HttpRequest) -> Token | None:
    """The token that a request carries, its application loaded; None where it carries none.

    Raises AuthenticationFailed for a wrong one, and TooMany where somebody tries many.
    """
    words = get_authorization_header(request).split()  # type: ignore[arg-type]  # it looks at META alone
    if not words:
        return None
    if len(words) != 2 or words[0].lower() != b"bearer":
        raise AuthenticationFailed("The Authorization header must read: Bearer TOKEN.")
    now = timezone.now()
    token = Token.objects.by_token(words[1].decode("latin-1"), now)
    if token is None:
        _refuse(request)
    Token.objects.mark_used(token, now)
    return token


def address_of(request: Request | HttpRequest) -> str:
    """Who calls: whoever connected, or whom the proxy in front says that it is passing on."""
    passed_on = request.headers.get("X-Forwarded-For", "") if settings.BEHIND_PROXY else ""
    return passed_on.rpartition(",")[2].strip() or str(request.META.get("REMOTE_ADDR", ""))


def _refuse(request: Request | HttpRequest) -> NoReturn:
    tries = count(f"wrong-tokens:{address_of(request)}", window_s=60)
    if tries > WRONG_TRIES_PER_MINUTE:
        raise TooMany("Too many wrong tokens came from this address: try again in {}.", 60)
    raise AuthenticationFailed("This token is not valid: it is unknown, revoked or expired.")
