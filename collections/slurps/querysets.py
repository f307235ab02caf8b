"""Reading slurpers, async jobs, collections and their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from badgerjobs.workspaces.querysets import OwnedQuerySet

if TYPE_CHECKING:
    from slurps.models import AsyncJob, Collection, Slurper, Version


class SlurperQuerySet(OwnedQuerySet["Slurper"]):
    """The slurpers of an application."""


class AsyncJobQuerySet(OwnedQuerySet["AsyncJob"]):
    def whole(self) -> AsyncJobQuerySet:
        """With what the engine knows of each, and its slurper, in the same query."""
        return self.select_related("runnable", "slurper")


class CollectionQuerySet(OwnedQuerySet["Collection"]):
    def whole(self) -> CollectionQuerySet:
        """With the version that readers see, in the same query."""
        return self.select_related("async_job", "current", "pinned")


class VersionQuerySet(OwnedQuerySet["Version"]):
    def ready(self) -> VersionQuerySet:
        """Those that can be read, the newest first."""
        return self.filter(stage="ready").order_by("-number")
