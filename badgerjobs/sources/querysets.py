"""Reading data sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, OuterRef, Q, Subquery

from badgerjobs.workspaces.querysets import OwnedQuerySet

if TYPE_CHECKING:
    from badgerjobs.sources.models import DataSource, SourceFile


class DataSourceQuerySet(OwnedQuerySet["DataSource"]):
    def in_rows(self) -> DataSourceQuerySet:
        """Without what is encrypted, and long."""
        return self.defer("configuration")

    def with_keys(self) -> DataSourceQuerySet:
        """With `key_count`: how many cache keys use each. Counted for those rows alone that are read."""
        itself = self.model._base_manager.filter(pk=OuterRef("pk")).values("pk")
        return self.annotate(key_count=Subquery(itself.annotate(found=Count("keys")).values("found")))

    def search(self, words: str) -> DataSourceQuerySet:
        """Those whose tag or name contains the words, in any case."""
        return self.filter(Q(tag__icontains=words) | Q(name__icontains=words))


class SourceFileQuerySet(OwnedQuerySet["SourceFile"]):
    pass
