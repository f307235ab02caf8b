"""Reading slurpers, async jobs, collections and their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Lower

from badgerjobs.workspaces.querysets import OwnedQuerySet

if TYPE_CHECKING:
    from slurps.models import AsyncJob, Collection, Slurper, Version


class SlurperQuerySet(OwnedQuerySet["Slurper"]):
    def whole(self) -> SlurperQuerySet:
        """With `source_tags`, in the order in which they are pulled, and how many jobs use each, in the same query."""
        tags = ArrayAgg("places__source__tag", order_by="places__place", filter=Q(places__isnull=False), default=[])
        itself = self.model._base_manager.filter(pk=OuterRef("pk")).values("pk")
        return self.annotate(
            source_tags=Subquery(itself.annotate(found=tags).values("found")),
            job_count=Subquery(itself.annotate(found=Count("async_jobs")).values("found")),
        )

    def in_rows(self) -> SlurperQuerySet:
        """What a row of a list says: no code."""
        return self.whole().defer("code")

    def sortable(self) -> SlurperQuerySet:
        """With `title`, which sorts names as people do: in any case."""
        return self.annotate(title=Lower("name"))

    def search(self, words: str) -> SlurperQuerySet:
        """Those whose tag or name contains the words, in any case."""
        return self.filter(Q(tag__icontains=words) | Q(name__icontains=words))


class AsyncJobQuerySet(OwnedQuerySet["AsyncJob"]):
    def whole(self) -> AsyncJobQuerySet:
        """With what the engine knows of each, and its slurper, in the same query."""
        return self.select_related("runnable", "slurper")

    def in_rows(self) -> AsyncJobQuerySet:
        """What a row of a list says: no code; with `active_collection`, the name of the one that it fills."""
        active = self.model._base_manager.filter(pk=OuterRef("pk"), collections__is_active=True)
        name = Subquery(active.values("collections__name")[:1])
        return self.whole().defer("slurper__code").annotate(active_collection=name)

    def sortable(self) -> AsyncJobQuerySet:
        """With `title`, which sorts names as people do: in any case."""
        return self.annotate(title=Lower("name"))

    def search(self, words: str) -> AsyncJobQuerySet:
        """Those whose tag or name contains the words, in any case."""
        return self.filter(Q(tag__icontains=words) | Q(name__icontains=words))


class CollectionQuerySet(OwnedQuerySet["Collection"]):
    def whole(self) -> CollectionQuerySet:
        """With the version that readers see, in the same query."""
        return self.select_related("async_job", "current", "pinned")

    def in_rows(self) -> CollectionQuerySet:
        """With that version as a list tells it: without its columns, of which there may be thousands."""
        long = ("columns", "known", "flagged", "remembered")
        versions = self.select_related("current", "pinned")
        return versions.defer(*(f"{version}__{field}" for version in ("current", "pinned") for field in long))

    def readable_by(self, label: str) -> CollectionQuerySet:
        """Those that a token with this label may read, if it may read collections at all."""
        return self.filter(Q(readers__isnull=True) | Q(readers__contains=[label]))


class VersionQuerySet(OwnedQuerySet["Version"]):
    def ready(self) -> VersionQuerySet:
        """Those that can be read, the newest first."""
        return self.filter(stage="ready").order_by("-number")
