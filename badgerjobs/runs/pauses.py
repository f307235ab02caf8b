"""Why something is paused, as its page tells it: who did it is in the audit log."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs.models import Breaker, Runnable
from badgerjobs.workspaces.models import Application, AuditEntry

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


def pause_of(runnable: Runnable, application: Application, subject: str, actions: Collection[str]) -> Pause | None:
    """Why and by whom, in one query for who; None while it is enabled. `subject` and `actions`: as the log has them."""
    if runnable.enabled:
        return None
    by = "" if runnable.breaker else who_did(application, subject, actions, runnable.paused_at)
    return Pause(runnable.paused_at, runnable.paused_until, runnable.pause_reason, by, runnable.breaker)


def who_did(application: Application, subject: str, actions: Collection[str], at: datetime | None) -> str:
    """Who did one of these at that moment: in the entries of that minute, of which there are never many."""
    if at is None:
        return ""
    near = AuditEntry.objects.filter(
        workspace_id=application.workspace_id,
        id__gte=uuid7_floor(at - _SKEW),
        id__lt=uuid7_floor(at + _SKEW),
        application_id=application.pk,
        subject=subject,
        created_at=at,
        action__in=actions,
    )
    return near.order_by("-id").values_list("actor", flat=True).first() or ""
