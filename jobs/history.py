"""What became of jobs: the executions of one, and the sums over many. A few queries, however many runs there are."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Avg, Case, Count, F, Q, Value, When

from badgerjobs.runs.models import Attempt, Run, State
from badgerjobs.runs.querysets import RunQuerySet
from badgerjobs.workspaces.models import Application
from jobs.models import KINDS, Job
from jobs.querysets import JobQuerySet

# A run's state in Ductape's words.
STATUS = {
    State.SCHEDULED: "scheduled",
    State.QUEUED: "queued",
    State.RUNNING: "running",
    State.RETRYING: "scheduled",
    State.SUCCEEDED: "completed",
    State.FAILED: "failed",
    State.ABORTED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class Execution:
    """One run. `duration_ms` is from its first attempt to its end, waits between attempts included."""

    run_id: UUID
    number: int
    started_at: datetime | None
    completed_at: datetime | None
    duration_ms: int | None
    status: str
    error: str | None
    result: Any


def history_of(job: Job, *, limit: int) -> dict[str, Any]:
    """How often it ran and how that ended, of the runs that are kept; and the last `limit` of them, newest first.

    Three queries. What was skipped was never run, and is none of them.
    """
    runs = Run.objects.for_application(job.application).of(job.runnable_id).exclude(state=State.SKIPPED)
    counted = runs.aggregate(
        total=Count("pk"),
        good=Count("pk", filter=Q(state=State.SUCCEEDED)),
        bad=Count("pk", filter=Q(state=State.FAILED)),
    )
    return {
        "tag": job.tag,
        "total_executions": counted["total"],
        "successful_executions": counted["good"],
        "failed_executions": counted["bad"],
        "executions": _executions(runs, limit, job.application),
    }


def _executions(runs: RunQuerySet, limit: int, application: Application) -> list[Execution]:
    rows = list(runs.order_by("-id").defer("input", "output")[:limit])
    attempts = Attempt.objects.for_application(application).filter(run_id__in=[run.pk for run in rows])
    last = attempts.order_by("run_id", "-number").distinct("run_id")
    results = dict(last.values_list("run_id", "result"))
    return [_execution(run, results.get(run.pk)) for run in rows]


def _execution(run: Run, result: Any) -> Execution:
    took = run.finished_at - run.started_at if run.finished_at and run.started_at else None
    return Execution(
        run_id=run.pk,
        number=run.number,
        started_at=run.started_at,
        completed_at=run.finished_at,
        duration_ms=took // timedelta(milliseconds=1) if took is not None else None,
        status=STATUS[State(run.state)],
        error=run.error or None,
        result=result,
    )


_RETRIES = Case(When(attempts__gt=1, then=F("attempts") - 1), default=Value(0))


def statistics_of(
    application: Application, jobs: JobQuerySet, *, since: UUID | None = None, until: UUID | None = None
) -> dict[str, Any]:
    """How the runs of these jobs are, by their state; made between the two ids, if given. Two queries.

    The next run of a job, which is planned and not yet one, counts among the scheduled.
    """
    runs = Run.objects.for_application(application).filter(kind__in=KINDS, runnable_id__in=jobs.values("runnable_id"))
    runs = runs.filter(pk__gte=since) if since else runs
    runs = runs.filter(pk__lt=until) if until else runs
    found = runs.aggregate(
        **{name: Count("pk", filter=Q(state__in=states)) for name, states in _STATES.items()},
        completed_first_try=Count("pk", filter=Q(state=State.SUCCEEDED, attempts__lte=1)),
        avg_retry_count=Avg(_RETRIES, filter=Q(state__in=(State.SUCCEEDED, State.FAILED))),
    )
    planned = jobs.order_by().aggregate(all=Count("pk"), planned=Count("runnable__next_run_at"))
    found["scheduled"] += planned["planned"]
    over = found["completed"] + found["failed"]
    return {
        "jobs": planned["all"],
        "total": sum(found[name] for name in _STATES),
        **{name: found[name] for name in _STATES},
        "success_rate": round(found["completed"] / over, 4) if over else None,
        "completed_first_try": found["completed_first_try"],
        "completed_after_retry": found["completed"] - found["completed_first_try"],
        "avg_retry_count": None if found["avg_retry_count"] is None else round(found["avg_retry_count"], 2),
    }


_STATES = {
    name: [state for state, status in STATUS.items() if status == name]
    for name in ("scheduled", "queued", "running", "completed", "failed", "cancelled")
}
