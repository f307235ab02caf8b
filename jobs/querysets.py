"""Reading jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from django.db.models.functions import Left

from badgerjobs.workspaces.querysets import OwnedQuerySet

if TYPE_CHECKING:
    from jobs.models import Job

# So much of its body comes with a job in a list, in bytes: a page of a hundred stays within a few megabytes.
BODY_IN_LISTS = 64 * 1024


class JobQuerySet(OwnedQuerySet["Job"]):
    def whole(self) -> JobQuerySet:
        """With what the engine knows of each, in the same query."""
        return self.select_related("runnable")

    def in_brief(self) -> JobQuerySet:
        """The same without their bodies: `beginning` has one character more of each than a list may show bytes."""
        return self.whole().defer("body").annotate(beginning=Left("body", BODY_IN_LISTS + 1))

    def search(self, words: str) -> JobQuerySet:
        """Those whose tag, name or endpoint contains the words, in any case."""
        return self.filter(Q(tag__icontains=words) | Q(name__icontains=words) | Q(endpoint__icontains=words))
