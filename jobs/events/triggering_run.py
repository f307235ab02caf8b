"""Who triggered a background task, where an event did: the run that performed the event, as people know it."""

from uuid import UUID

from badgerjobs.runs.models import Run
from jobs.events.once import KIND, tag_in
from jobs.models import Job

# What is said of a task that somebody triggered who tried the event out: there is no run then.
TRIAL = {"id": "event", "displayName": "an event that was tried out", "type": "system"}


def creator_of(application_id: int, run_id: UUID) -> dict[str, str]:
    """`the job nightly, run 2` with the id of that run, as a task remembers it: two queries."""
    run = Run.objects.filter(pk=run_id, application_id=application_id).first()
    return {"id": str(run.pk), "displayName": _called(run), "type": "run"} if run else TRIAL


def _called(run: Run) -> str:
    if run.kind == KIND:
        return f"the event {tag_in(run.input)}"
    job = Job.objects.filter(runnable=run.runnable_id).only("tag").first() if run.runnable_id else None
    return f"the job {job.tag if job else 'that was deleted'}, run {run.number}"
