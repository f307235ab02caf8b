"""What a token may do here."""

from typing import TYPE_CHECKING

from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from badgerjobs.workspaces.models import Scope, Token

if TYPE_CHECKING:  # DRF reads this class while it imports its views
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Reading needs the scope `read`, all else `write`; a view that needs another says so in `required_scope`."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Raises 401 for nobody, 403 naming the missing scope."""
        scope = getattr(view, "required_scope", None) or (Scope.READ if request.method in SAFE_METHODS else Scope.WRITE)
        ensure_scope(request.auth, scope)  # type: ignore[arg-type]  # DRF's stubs know only its own tokens
        return True


def ensure_scope(token: Token | None, scope: str) -> Token:
    """Return the token. Raises 401 for nobody, 403 naming the missing scope."""
    if token is None:
        raise NotAuthenticated("Send a token: Authorization: Bearer TOKEN.")
    if not token.may(scope):
        raise PermissionDenied(f"This token lacks the scope “{scope}”.")
    return token
