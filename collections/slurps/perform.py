"""Performs a run of an async job: in a process of its own, since it may take minutes of computing."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import Error, connection

from badgerjobs.lib.time_limits import within
from badgerjobs.runs.kinds import Claimed, Kind
from badgerjobs.runs.outcomes import Aborted, Done, Failed, Later, Outcome, Said
from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.pipe import Work
from badgerjobs.runs.processes.pool import Pool, open_shared
from slurps.models import AsyncJob, Stage, Version
from slurps.storing.swapping import left_by, output_of

logger = logging.getLogger(__name__)

LATE = (
    "A run may take {:,} s: it was ended, and nothing of it is stored. Let the job's runs take longer, or its sources "
    "give less."
)
# What ended, and may have stored its rows a moment before that: nobody knows without asking.
PERHAPS_STORED = {"timeout", "crashed", "database", "internal"}
ENDED = "A run may take {:,} s: it was ended."
UNASKED = "Whether its rows are stored could not be asked: the versions of its collection say so."
STORED = "{} {} was stored by then, and stays. Sources that were not told so may give the same rows again."
# So many seconds the database has to say so: it waits for a commit that is under way.
ASKED_S = 10.0
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
    outcome = outcome_of(came, job)
    if isinstance(outcome, Failed) and outcome.error_class in PERHAPS_STORED:
        return await _known(outcome, run.id, job)
    return outcome


async def _known(outcome: Failed, run_id: UUID, job: Loaded) -> Outcome:
    """The same, once it is known whether its rows were stored before it ended: then it is done."""
    is_late = outcome.error_class == "timeout"
    ended = ENDED.format(job.timeout_s) if is_late else outcome.error
    try:
        version = await asyncio.to_thread(_left_by, run_id)
    except Error:
        logger.exception("it is not known whether run %s has stored its rows", run_id)
        return replace(outcome, error=f"{ended} {UNASKED}") if is_late else outcome
    if version is None:
        return outcome
    name = version.collection.name
    held, shown = f"A result that waits for approval in “{name}”", f"Version {version.number} of “{name}”"
    said = Said(STORED.format(ended, held if version.stage == Stage.HELD else shown))
    return Done(output=output_of(version, version.collection), said=said)


@within(ASKED_S)
def _left_by(run_id: UUID) -> Version | None:
    """In a thread of its own."""
    try:
        return left_by(run_id)
    finally:
        connection.close()


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
