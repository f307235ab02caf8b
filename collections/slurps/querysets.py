"""Reading collections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from badgerjobs.workspaces.querysets import OwnedQuerySet

if TYPE_CHECKING:
    from slurps.models import Collection


class CollectionQuerySet(OwnedQuerySet["Collection"]):
    """The collections of an application."""
