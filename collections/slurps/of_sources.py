"""What the pages of sources tell of the slurpers that pull from them, and of when their jobs last ran."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Max

from badgerjobs.sources.models import DataSource
from badgerjobs.sources.types import type_of
from badgerjobs.sources.uses import Use
from badgerjobs.workspaces.models import Application
from slurps.models import AsyncJob, Slurper

# So many slurpers are listed; their number is told.
LISTED = 50


class SlurpersOfSource:
    """Everything is looked up when it is shown, and once."""

    def __init__(self, source: DataSource, now: datetime) -> None:
        self.source, self.now = source, now

    @property
    def gives_rows(self) -> bool:
        """Whether a slurper may pull from it."""
        return type_of(self.source.type).pull is not None

    @cached_property
    def count(self) -> int:
        """How many pull from it."""
        return int(self._slurpers().count())

    @cached_property
    def rows(self) -> list[Slurper]:
        """The first by name: so many, and no more."""
        found = self._slurpers().in_rows().annotate(last_run_at=Max("async_jobs__runnable__last_run_at"))
        return list(found.order_by("name", "pk")[:LISTED])

    def _slurpers(self) -> Any:
        return Slurper.objects.for_application(self.source.application).filter(places__source=self.source)


def last_used(application: Application, sources: Sequence[DataSource]) -> Mapping[int, datetime]:
    """Source id → when an async job that pulls from it last ran."""
    jobs = AsyncJob.objects.for_application(application).filter(
        slurper__places__source__in=[source.pk for source in sources], runnable__last_run_at__isnull=False
    )
    found = jobs.order_by().values_list("slurper__places__source").annotate(last=Max("runnable__last_run_at"))
    return dict(found)


SLURPERS = Use(SlurpersOfSource, last_used, "collections/of_source.html")
