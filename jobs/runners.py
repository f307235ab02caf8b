"""What waits, runs or is planned of a job, in Repeater's words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from badgerjobs.runs.models import Attempt, Run, Runnable, State
from badgerjobs.runs.unfinished import unfinished_of
from badgerjobs.workspaces.models import Application
from jobs.models import Job


@dataclass(frozen=True, slots=True)
class Runner:
    """A waiting or running run; without `run_id`, the planned one."""

    run_id: UUID | None
    priority: int
    queue: str
    attempts: int
    recurring: bool
    running: bool
    state: str
    run_at: datetime
    failed_at: datetime | None
    created_at: datetime
    updated_at: datetime


def runners_of(job: Job) -> list[Runner]:
    """Those of the runs that are not over, oldest first, then the planned one."""
    runnable = job.runnable
    runs = Run.objects.for_application(job.application).of(runnable.pk).unfinished().order_by("id")
    failures = _last_failures(runs, job.application)
    found = [_of_run(run, runnable, failures.get(run.pk)) for run in runs]
    return [*found, _planned(runnable, runnable.next_run_at)] if runnable.next_run_at else found


def runners_of_all(jobs: Iterable[Job], *, application: Application, most: int) -> dict[int, list[Runner]]:
    """Runnable → its first so many runners: three statements, however many the jobs are."""
    runnables = [job.runnable for job in jobs]
    waiting = unfinished_of([runnable.pk for runnable in runnables], application=application, most=most)
    failures = _last_failures((run for runs in waiting.values() for run in runs), application)
    return {runnable.pk: _first(runnable, waiting.get(runnable.pk, []), failures, most) for runnable in runnables}


def _first(runnable: Runnable, runs: list[Run], failures: Mapping[UUID, datetime], most: int) -> list[Runner]:
    found = [_of_run(run, runnable, failures.get(run.pk)) for run in runs]
    return [*found, *([_planned(runnable, runnable.next_run_at)] if runnable.next_run_at else [])][:most]


def _last_failures(runs: Iterable[Run], application: Application) -> dict[UUID, datetime]:
    rows = Attempt.objects.for_application(application).filter(run_id__in=[run.pk for run in runs], ok=False)
    return dict(rows.values_list("run_id").annotate(Max("created_at")))


def _of_run(run: Run, runnable: Runnable, failed_at: datetime | None) -> Runner:
    return Runner(
        run_id=run.pk,
        priority=run.priority,
        queue=run.queue,
        attempts=run.attempts,
        recurring=runnable.schedule.is_recurring,
        running=run.state == State.RUNNING,
        state=run.state,
        run_at=run.due_at,
        failed_at=failed_at,
        created_at=run.created_at,
        updated_at=max(moment for moment in (run.created_at, run.started_at, failed_at) if moment),
    )


def _planned(runnable: Runnable, due_at: datetime) -> Runner:
    return Runner(
        run_id=None,
        priority=runnable.priority,
        queue=runnable.queue,
        attempts=0,
        recurring=runnable.schedule.is_recurring,
        running=False,
        state=State.SCHEDULED,
        run_at=due_at,
        failed_at=None,
        created_at=runnable.updated_at,
        updated_at=runnable.updated_at,
    )
