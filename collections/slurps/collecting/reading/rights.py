"""Which tokens may read the rows of a collection, wherever they stand."""

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from badgerjobs.web.permissions import ensure_scope
from badgerjobs.workspaces.models import Scope
from slurps.models import Collection

NOT_FOR_YOU = "The token “{}” is not among those that may read the collection “{}”."


def ensure_may_read(request: Request, collection: Collection) -> None:
    """Raises PermissionDenied for a token that may read no collections, or not this one."""
    token = ensure_scope(request.auth, Scope.COLLECTIONS_READ)  # type: ignore[arg-type]  # DRF's stubs know its own
    if collection.readers is not None and token.label not in collection.readers:
        raise PermissionDenied(NOT_FOR_YOU.format(token.label, collection.name))
