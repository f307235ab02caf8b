"""Reading jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from badgerjobs.workspaces.querysets import OwnedQuerySet

if TYPE_CHECKING:
    from jobs.models import Job


class JobQuerySet(OwnedQuerySet["Job"]):
    def whole(self) -> JobQuerySet:
        """With what the engine knows of each, in the same query."""
        return self.select_related("runnable")

    def search(self, words: str) -> JobQuerySet:
        """Those whose tag, name or endpoint contains the words, in any case."""
        return self.filter(Q(tag__icontains=words) | Q(name__icontains=words) | Q(endpoint__icontains=words))
