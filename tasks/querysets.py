"""Reading cache keys, syncs and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Lower

from badgerjobs.workspaces.querysets import OwnedQuerySet

if TYPE_CHECKING:
    from tasks.models import BackgroundRun, CacheKey, KeySync, Task


class CacheKeyQuerySet(OwnedQuerySet["CacheKey"]):
    """See `tasks/selection.py` for how patterns choose among them."""

    def whole(self) -> CacheKeyQuerySet:
        """With the source of each, but for what is encrypted of it, in the same query."""
        return self.select_related("source").defer("source__configuration")

    def in_rows(self) -> CacheKeyQuerySet:
        """The same with what stands under each, but for the value itself, which is long."""
        return self.whole().select_related("value").defer("source__configuration", "value__body")


class KeySyncQuerySet(OwnedQuerySet["KeySync"]):
    """One row for each key of a run."""

    def failed_in(self, run_id: UUID) -> KeySyncQuerySet:
        """Those of a run that is over whose keys were not fetched.

        What still waits has failed with its run, though it may take some seconds until it says so.
        """
        return self.filter(run_id=run_id, state__in=("waiting", "failed"))


class TaskQuerySet(OwnedQuerySet["Task"]):
    def whole(self) -> TaskQuerySet:
        """With what the engine knows of each, and its hook where it has one, in the same query."""
        return self.select_related("runnable", "hook")

    def in_rows(self) -> TaskQuerySet:
        """What a row of a list says: no transforms, no secrets. How many keys each names, `keys_named` says."""
        return self.select_related("runnable").defer("transform")

    def sortable(self) -> TaskQuerySet:
        """With `title`, which sorts names as people do: in any case."""
        return self.annotate(title=Lower("name"))

    def search(self, words: str) -> TaskQuerySet:
        """Those whose tag, name or pattern contains the words, in any case."""
        return self.filter(Q(tag__icontains=words) | Q(name__icontains=words) | Q(pattern__icontains=words))


class BackgroundRunQuerySet(OwnedQuerySet["BackgroundRun"]):
    """What runs of definitions in code have beside what every run has."""

    def whole(self) -> BackgroundRunQuerySet:
        """With the run of each, its input and output, in the same query; without what it was triggered with."""
        return self.select_related("run").defer("given")

    def brief(self) -> BackgroundRunQuerySet:
        """The same without inputs and outputs, which may be long."""
        return self.select_related("run").defer("given", "run__input", "run__output")
