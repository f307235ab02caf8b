"""Reading cache keys, syncs and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from badgerjobs.workspaces.querysets import OwnedQuerySet

if TYPE_CHECKING:
    from tasks.models import CacheKey, KeySync, Task


class CacheKeyQuerySet(OwnedQuerySet["CacheKey"]):
    """See `tasks/selection.py` for how patterns choose among them."""


class KeySyncQuerySet(OwnedQuerySet["KeySync"]):
    """One row for each key of a run."""


class TaskQuerySet(OwnedQuerySet["Task"]):
    def whole(self) -> TaskQuerySet:
        """With what the engine knows of each, in the same query."""
        return self.select_related("runnable")
