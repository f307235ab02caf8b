"""The jobs that are paused because they kept failing, or because they can do no better: with the reason."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from badgerjobs.runs.models import Incident, Trouble
from badgerjobs.workspaces.models import Application


@dataclass(frozen=True, slots=True)
class PausedJob:
    """A job that the engine paused. `title` is what people call it, `name` what its address does.

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


def paused(application: Application, limit: int) -> list[PausedJob]:
    """The last ones that were, as long as nobody resumed them; one query."""
    open_ones = Incident.objects.for_application(application).filter(trouble=Trouble.PAUSED, closed_at=None)
    named = open_ones.filter(runnable__enabled=False).annotate(title=F("runnable__job__name"))
    found = named.select_related("runnable").order_by("-id")[:limit]
    return [
        PausedJob(
            one.runnable.kind,
            one.runnable.name,
            one.title or one.runnable.name,
            one.runnable.pause_reason or one.sentence,
            one.runnable.failures_in_row,
            one.runnable.paused_at or one.opened_at,
            one.runnable.paused_until,
            one.runnable.breaker == "half_open",
        )
        for one in found
        if one.runnable
    ]
