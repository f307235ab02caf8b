"""The jobs that are paused because they kept failing, or because they can do no better: with the reason."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Coalesce

from badgerjobs.panel.kinds import KINDS
from badgerjobs.runs.models import Incident, Trouble
from badgerjobs.workspaces.models import Application

# What people call it, whatever it is.
_NAMES = (
    "runnable__job__name",
    "runnable__task__name",
    "runnable__async_job__name",
    "runnable__hook__name",
    "runnable__name",
)


@dataclass(frozen=True, slots=True)
class PausedJob:
    """A job, or the like, that the engine paused. `title` is what people call it, `name` what its address does.

    `tried_at` is when one run tries whether it is well again; None: never.
    """

    kind: str
    name: str
    title: str
    reason: str
    failures: int
    since: datetime
    tried_at: datetime | None
    is_tried: bool

    @property
    def page(self) -> str:
        """What names its page."""
        return KINDS[self.kind].page

    @property
    def resume(self) -> str:
        """What resumes it."""
        return KINDS[self.kind].resume


def paused(application: Application, limit: int) -> list[PausedJob]:
    """The last ones that were, as long as nobody resumed them; one query."""
    open_ones = Incident.objects.for_application(application).filter(trouble=Trouble.PAUSED, closed_at=None)
    named = open_ones.filter(runnable__enabled=False).annotate(title=Coalesce(*_NAMES))
    found = named.select_related("runnable").order_by("-id")[:limit]
    return [
        PausedJob(
            one.runnable.kind,
            one.runnable.name,
            one.title,
            one.runnable.pause_reason or one.sentence,
            one.runnable.failures_in_row,
            one.runnable.paused_at or one.opened_at,
            one.runnable.paused_until,
            one.runnable.breaker == "half_open",
        )
        for one in found
        if one.runnable
    ]
