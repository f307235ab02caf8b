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
        token: Token | None = request.auth  # type: ignore[assignment]
        if token is None:
            raise NotAuthenticated("Send a token: Authorization: Bearer TOKEN.")
        scope = getattr(view, "required_scope", None) or (Scope.READ if request.method in SAFE_METHODS else Scope.WRITE)
        if not token.may(scope):
            raise PermissionDenied(f"This token lacks the scope “{scope}”.")
        return True
