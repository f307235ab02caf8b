"""`POST /graphql`: one operation in each request, by a token."""

from io import BytesIO
from typing import Any

from django.http import HttpResponse
from rest_framework.authentication import get_authorization_header
from rest_framework.exceptions import NotAuthenticated, ParseError, PermissionDenied
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from badgerjobs.graphql.answering import answer, as_json
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.graphql import Asker
from badgerjobs.web.parsers import ObjectParser
from badgerjobs.web.throttling import count_more
from badgerjobs.workspaces.models import Scope, Token

NO_BATCH = "Send one operation in each request: a JSON object with `query`, and no list of them."


class OneOperation(ObjectParser):
    """The JSON object of one operation. A list of them is refused with the way out."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        """Raises ParseError, a 400; of a list, for its first character."""
        content = stream.read()
        if content.lstrip()[:1] == b"[":
            raise ParseError(NO_BATCH)
        return super().parse(BytesIO(content), media_type, parser_context)


class WhateverIsAccepted(BaseContentNegotiation):
    """JSON for everybody: what a client says that it accepts has no use where there is one way to answer."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """The one for this content type, as REST does it."""
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:  # noqa: ARG002
        """The first."""
        return renderers[0], renderers[0].media_type


class ReadsOrWrites(BasePermission):
    """A token that may read, write or delete; which of them an operation needs is known once it is read."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002
        """Raises 401 for nobody, and 403 for a token that can do none of it."""
        token: Token | None = request.auth  # type: ignore[assignment]
        if token is None:
            raise NotAuthenticated("Send a token: Authorization: Bearer TOKEN.")
        if not any(token.may(scope) for scope in (Scope.READ, Scope.WRITE, Scope.BACKGROUND_DELETE)):
            raise PermissionDenied(f"This token lacks the scope “{Scope.READ}”.")
        return True


class GraphQLView(APIView):
    """Answers 200 with what GraphQL has to say, errors too. Who may not come in is told as REST does it."""

    permission_classes = (ReadsOrWrites,)
    parser_classes = (OneOperation,)
    content_negotiation_class = WhateverIsAccepted
    schema = None  # OpenAPI describes REST

    def post(self, request: Request) -> HttpResponse:
        """One operation. Its questions and verbs count as so many requests."""
        asked: dict[str, Any] = request.data  # type: ignore[assignment]  # the parser takes nothing but objects
        asker = _asker(request)
        what = asked.get("query"), asked.get("variables"), asked.get("operationName")
        told = answer(asker, *what, spend=lambda more: count_more(request, more))
        return HttpResponse(as_json(told), content_type="application/json")


def _asker(request: Request) -> Asker:
    token: Token = request.auth  # type: ignore[assignment]
    secret = get_authorization_header(request).split()[1].decode("latin-1")
    return Asker(application_of(request), holder_of(request), frozenset(token.scopes), secret)
