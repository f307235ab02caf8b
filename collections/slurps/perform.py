"""Performs a run of an async job: in a process of its own, since it may take minutes of computing."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from badgerjobs.runs.kinds import Claimed, Kind
from badgerjobs.runs.outcomes import Aborted, Done, Failed, Later, Outcome
from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.pipe import Work
from badgerjobs.runs.processes.pool import Pool, open_shared
from slurps.models import AsyncJob

logger = logging.getLogger(__name__)

LATE = (
    "A run may take {:,} s: it was ended, and nothing of it is stored. Let the job's runs take longer, or its sources "
    "give less."
)
# One whose process could not be made waits so long, in seconds.
UNREADY_S = 10.0


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the worker needs to know of a job."""

    id: int
    name: str
    timeout_s: int


def load(runs: Sequence[Claimed]) -> dict[UUID, Loaded]:
    """The jobs of a batch."""
    jobs = {
        job.runnable_id: Loaded(job.pk, job.name, job.timeout_s)
        for job in AsyncJob.objects.filter(runnable_id__in=[run.runnable_id for run in runs if run.runnable_id])
    }
    return {run.id: jobs[run.runnable_id] for run in runs if run.runnable_id in jobs}


async def perform(run: Claimed, job: Loaded, pool: Pool) -> Outcome:
    """Have a process do it, and say what became of it."""
    came = await pool.iterate(
        Work(
            run_id=run.id,
            application_id=run.application_id,
            worker=run.worker,
            definition=str(job.id),
            name=job.name,
            input=run.input,
            output=None,
            iteration=1,
            attempt=run.attempt,
            timeout_s=job.timeout_s,
            kind="slurp",
        )
    )
    return outcome_of(came, job)


def outcome_of(came: Came, job: Loaded) -> Outcome:
    """What the engine is told."""
    match came.word:
        case "done":
            return Done(output=came.output)
        case "aborted":
            return Aborted(came.message or "It was aborted.")
        case "timeout":
            return Failed("timeout", LATE.format(job.timeout_s))
        case "unready":  # nothing was begun: no attempt is spent
            logger.warning("async jobs wait: %s", came.message)
            return Later(UNREADY_S)
        case "crashed":
            return Failed("crashed", came.message)
    return _failed(came.error or {})


def _failed(error: Mapping[str, Any]) -> Failed:
    wait = error.get("retry_after")
    return Failed(
        error["error_class"],
        error["message"],
        retry=error["retry"],
        retry_after=timedelta(seconds=wait) if wait is not None else None,
    )


SLURP = Kind(load=load, perform=perform, open=open_shared)
