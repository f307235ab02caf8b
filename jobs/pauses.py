"""Why a job is paused or cancelled, as its page tells it: who did it is in the audit log."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs.models import Breaker
from badgerjobs.workspaces.models import AuditEntry
from jobs.models import Job
from jobs.standing import is_cancelled

# An entry of the audit log was made within this time of what it tells of, by whichever clock.
_SKEW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Pause:
    """`by` is empty where nobody did it, or nobody knows any more; `until` None: until somebody resumes it.

    `is_cancelled`: somebody ended it for good.
    """

    since: datetime | None
    until: datetime | None
    reason: str
    by: str
    breaker: str
    is_cancelled: bool = False

    @property
    def is_tried(self) -> bool:
        """Whether a run is trying now if it is well again."""
        return self.breaker == Breaker.HALF_OPEN


def pause_of(job: Job) -> Pause | None:
    """Why and by whom, in one query for who; None while it is enabled."""
    runnable = job.runnable
    if runnable.enabled:
        return None
    if is_cancelled(job):
        return Pause(job.cancelled_at, None, runnable.pause_reason, _who(job, job.cancelled_at), "", is_cancelled=True)
    by = "" if runnable.breaker else _who(job, runnable.paused_at)
    return Pause(runnable.paused_at, runnable.paused_until, runnable.pause_reason, by, runnable.breaker)


def _who(job: Job, paused_at: datetime | None) -> str:
    """Who switched it off: in the entries of that minute, of which there are never many."""
    if paused_at is None:
        return ""
    near = AuditEntry.objects.filter(
        workspace_id=job.application.workspace_id,
        id__gte=uuid7_floor(paused_at - _SKEW),
        id__lt=uuid7_floor(paused_at + _SKEW),
        application_id=job.application_id,
        subject=job.tag,
        created_at=paused_at,
        action__in=("job.pause", "job.cancel", "job.update", "job.create"),
    )
    return near.order_by("-id").values_list("actor", flat=True).first() or ""
