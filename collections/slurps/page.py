"""What the page of an async job tells: what it pulls and where that goes, its plans, and its runs."""

from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from badgerjobs.runs.models import FINAL, State
from badgerjobs.runs.owner_page import OwnerPage
from badgerjobs.runs.pauses import Pause, pause_of
from badgerjobs.runs.querysets import RunQuerySet
from badgerjobs.sources.models import DataSource
from badgerjobs.web.cursors import Page, page_of
from slurps.approvals import bring_up_to_date
from slurps.drawing import DRAWN, Drawing, drawing_of
from slurps.models import AsyncJob, Collection, Stage, Version
from slurps.progress import Progress, progress_of
from slurps.rows import Row, rows_of, run_rows

_SWITCHES = ("asyncjob.pause", "asyncjob.update", "asyncjob.create")
# So many runs are on a page.
RUNS = 10


class AsyncJobPage(OwnerPage):
    """See `OwnerPage`."""

    def __init__(self, job: AsyncJob, now: datetime) -> None:
        super().__init__(job.runnable, job.application, now)
        self.job = job

    @cached_property
    def row(self) -> Row:
        """What the list says of it."""
        return rows_of(self.application, [self.job], self.now)[0]

    @property
    def state(self) -> str:
        return "running" if any(run.state == State.RUNNING for run in self.waiting) else self.row.state

    @property
    def runs(self) -> RunQuerySet:
        """Its runs, of any state, without what they were given: that may be long."""
        return super().runs.defer("input")

    @cached_property
    def sources(self) -> list[DataSource]:
        """What its slurper pulls from, in this order."""
        places = self.job.slurper.places.order_by("place").select_related("source")
        return [place.source for place in places.defer("source__configuration")]

    @cached_property
    def variables(self) -> list[str]:
        """What its sources ask for, each once."""
        return list(dict.fromkeys(name for source in self.sources for name in source.variables))

    @property
    def remembered(self) -> dict[str, Any]:
        """What its sources gave to go on from, of those that gave something."""
        return {tag: value for tag, value in self.job.remembered.items() if value is not None}

    @cached_property
    def collections(self) -> list[Any]:
        """Those that it may fill, the active one first; each `is_held` where a result of it waits."""
        held = Version.objects.for_application(self.application).filter(collection=OuterRef("pk"), stage=Stage.HELD)
        found = Collection.objects.for_application(self.application).filter(async_job=self.job).whole()
        return list(found.annotate(is_held=Exists(held)).order_by("-is_active", "name"))

    @property
    def active(self) -> Any:
        """The one that its runs fill, if there is one."""
        return next((one for one in self.collections if one.is_active), None)

    @cached_property
    def pause(self) -> Pause | None:
        """Why it is paused, if it is."""
        return pause_of(self.runnable, self.application, self.job.tag, _SWITCHES)

    @cached_property
    def progress(self) -> dict[UUID, Progress]:
        """Run → how far it is, of those that load rows."""
        return progress_of(self.application, self.waiting)

    def run_page(self, cursor: str) -> Page[Any]:
        """A page of its runs, newest first, with what they left."""
        page = page_of(self.runs, order="-pk", cursor=cursor, size=RUNS)
        rows: list[Any] = run_rows(self.application, page.rows, self.progress)
        return Page(rows, page.before, page.earlier, page.later)

    @cached_property
    def drawing(self) -> Drawing | None:
        """Its last runs drawn; None before the second of them: one alone is told in words."""
        last = list(self.runs.filter(state__in=FINAL).order_by("-id")[:DRAWN])
        bring_up_to_date(self.application, last)
        return drawing_of(last, self.application.slug, self.zone)
