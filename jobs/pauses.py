"""Why a job is paused or cancelled, as its page tells it."""

from badgerjobs.runs import pauses
from badgerjobs.runs.pauses import Pause
from jobs.models import Job
from jobs.standing import is_cancelled

_SWITCHES = ("job.pause", "job.cancel", "job.update", "job.create")


def pause_of(job: Job) -> Pause | None:
    """Why and by whom, in one query for who; None while it is enabled."""
    runnable, at = job.runnable, job.cancelled_at
    if not runnable.enabled and is_cancelled(job):
        who = pauses.who_did(job.application, job.tag, _SWITCHES, at)
        return Pause(at, None, runnable.pause_reason, who, "", is_cancelled=True)
    return pauses.pause_of(runnable, job.application, job.tag, _SWITCHES)
