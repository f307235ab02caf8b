"""Ending jobs for good, one or many: nothing is planned any more, and what waits or runs is aborted."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from badgerjobs.runs import many
from badgerjobs.runs.models import Runnable
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from jobs.models import Job
from jobs.standing import GOING_ON, Standing, standings_of

NOT_GOING_ON = "Nothing of this job is planned, waits or runs (it is {}): there is nothing to cancel."


def cancel_job(*, job: Job, by: audit.Actor, now: datetime, reason: str = "") -> None:
    """End it for good, until somebody resumes it, reschedules it or enables it.

    One that is cancelled stays as it is. Raises Conflict where nothing of it goes on.
    """
    stands = standings_of([job])[job.pk]
    if stands != Standing.CANCELLED and stands not in GOING_ON:
        raise Conflict(NOT_GOING_ON.format(stands))
    if stands != Standing.CANCELLED:
        cancel_jobs(application=job.application, ids=[job.pk], by=by, now=now, reason=reason)


@transaction.atomic
def cancel_jobs(
    *, application: Application, ids: Sequence[int], by: audit.Actor, now: datetime, reason: str = ""
) -> int:
    """End those of these jobs that are there. A call that is under way is dropped within about a second.

    Who had to wait may have read the clock before another's pause began: they are cancelled when that did.
    """
    held = Job.objects.for_application(application).select_for_update().filter(pk__in=ids).order_by("pk")
    tags = dict(held.values_list("runnable_id", "tag"))
    many.end_all(list(tags), now=now, reason=reason)
    now = max(now, Runnable.objects.filter(pk__in=tags).aggregate(last=Max("paused_at"))["last"] or now)
    Job.objects.for_application(application).filter(runnable_id__in=tags).update(cancelled_at=now, updated_at=now)
    changes = audit.difference({}, {"reason": reason} if reason else {})
    entries = dict.fromkeys(tags.values(), changes)
    audit.record_all(by=by, action="job.cancel", entries=entries, now=now, application=application)
    return len(tags)
