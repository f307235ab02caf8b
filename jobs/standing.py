"""Where a job stands, in Ductape's words: one expression of the database, to show it and to narrow lists by it."""

from collections.abc import Iterable

from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Subquery, Value, When

from badgerjobs.runs.models import WAITING, Run, State
from jobs.models import Job
from jobs.querysets import IS_CANCELLED, JobQuerySet


class Standing(models.TextChoices):
    """The first of these that holds, in the order of `_STANDING`."""

    SCHEDULED = "scheduled", "Its next run, or the next attempt of one, is to come"
    QUEUED = "queued", "A run waits for a free slot, or for the one before it"
    RUNNING = "running", "A run runs"
    COMPLETED = "completed", "Nothing is planned, and the last run succeeded"
    FAILED = "failed", "Nothing is planned, and the last run failed"
    CANCELLED = "cancelled", "It was cancelled, or its last run was aborted and nothing is planned"
    PAUSED = "paused", "It is switched off"
    IDLE = "idle", "Nothing is planned, and nothing was run yet"


# Of these there is something to cancel.
GOING_ON = (Standing.SCHEDULED, Standing.QUEUED, Standing.RUNNING, Standing.PAUSED)


def is_cancelled(job: Job) -> bool:
    """`IS_CANCELLED` of a job with its runnable, in memory."""
    paused_at, cancelled_at = job.runnable.paused_at, job.cancelled_at
    return not job.runnable.enabled and cancelled_at is not None and (paused_at is None or paused_at <= cancelled_at)


_OF_THIS = Run.objects.filter(runnable_id=OuterRef("runnable_id"))
_ENDED = (State.SUCCEEDED, State.FAILED, State.ABORTED)

# Each look is into a partial index, in its own words, but the last, which is one look into the runs by their order.
_STANDING = Case(
    When(IS_CANCELLED, then=Value(Standing.CANCELLED.value)),
    When(runnable__enabled=False, then=Value(Standing.PAUSED.value)),
    When(Exists(_OF_THIS.filter(state=State.RUNNING, held=False)), then=Value(Standing.RUNNING.value)),
    When(Exists(_OF_THIS.filter(state=State.QUEUED, held=False)), then=Value(Standing.QUEUED.value)),
    When(Exists(_OF_THIS.filter(held=True)), then=Value(Standing.QUEUED.value)),
    When(runnable__next_run_at__isnull=False, then=Value(Standing.SCHEDULED.value)),
    When(Exists(_OF_THIS.filter(state__in=WAITING)), then=Value(Standing.SCHEDULED.value)),
    default=Subquery(
        _OF_THIS.filter(state__in=_ENDED)
        .order_by("-id")
        .values(
            ended=Case(
                When(state=State.SUCCEEDED, then=Value(Standing.COMPLETED.value)),
                When(state=State.FAILED, then=Value(Standing.FAILED.value)),
                default=Value(Standing.CANCELLED.value),
            )
        )[:1]
    ),
    output_field=models.CharField(),
)


def standings_of(jobs: Iterable[Job]) -> dict[int, str]:
    """Job → where it stands, in one query; of a job that is gone, idle."""
    ids = [job.pk for job in jobs]
    rows = Job.objects.filter(pk__in=ids).annotate(standing=_STANDING).values_list("pk", "standing")
    found = dict(rows)
    return {pk: found.get(pk) or Standing.IDLE.value for pk in ids}


def standing_so(jobs: JobQuerySet, words: Iterable[str]) -> JobQuerySet:
    """Those that stand in one of these ways."""
    wanted = list(words)
    meant = Q(standing__in=[word for word in wanted if word != Standing.IDLE])
    if Standing.IDLE in wanted:
        meant |= Q(standing=None)
    return jobs.annotate(standing=_STANDING).filter(meant)
