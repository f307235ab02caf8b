"""What a run of a job with an event does: whatever the event's type does, with the job's input."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from badgerjobs.runs.kinds import Claimed, Kind
from badgerjobs.runs.outcomes import Failed, Outcome
from badgerjobs.workspaces.models import Application
from jobs.events.means import Means, open_means
from jobs.events.storing import storable
from jobs.events.types import Occasion, type_of
from jobs.models import Event, Job


@dataclass(frozen=True, slots=True)
class Work:
    """An event as it is now, and what the job gives it. Read anew for each attempt: an edit reaches the next one.

    `input` is JSON as text: parsed it takes many times as much, and of a batch only a few are performed at once.
    """

    event: Event
    application: Application
    input: str


def load(runs: Sequence[Claimed]) -> dict[UUID, Work]:
    """The events of a batch of runs, in four queries. A run whose job was deleted, or has no event, is left out.

    Each event, connection and application comes once, however many runs need it: they are long, and encrypted.
    """
    jobs = Job.objects.filter(runnable_id__in=[run.runnable_id for run in runs], event__isnull=False)
    rows = jobs.prefetch_related("event__connection", "application").with_input_as_text().defer("headers", "body")
    found = {job.runnable_id: job for job in rows}
    return {run.id: _work(run, found[run.runnable_id]) for run in runs if run.runnable_id in found}


def _work(run: Claimed, job: Any) -> Work:
    given = job.input_text or "null" if run.input_text is None else run.input_text
    return Work(job.event, job.application, given)


async def perform(run: Claimed, work: Work, means: Means) -> Outcome:
    """Fill the event's templates, then do what its type does. What cannot be filled now cannot be later either."""
    due = run.due_at.isoformat()
    values = {"input": json.loads(work.input), "run": {"id": str(run.id), "number": run.number, "due_at": due}}
    return await performed(work.event.type, occasion_of(run.id, work.event, work.application, values), means)


def occasion_of(run_id: UUID, event: Event, application: Application, values: Mapping[str, Any]) -> Occasion:
    """What an attempt may know."""
    return Occasion(
        run_id,
        event.configuration,
        event.connection.configuration if event.connection else {},
        values,
        application.pk,
        application.workspace_id,
        application.signing_key,
        application.previous_signing_key,
        application.previous_key_until,
    )


async def performed(kind: str, occasion: Occasion, means: Means) -> Outcome:
    """One attempt, for a run or while somebody tries the event out."""
    found = type_of(kind)
    try:
        prepared = found.prepare(occasion)
    except ValueError as error:
        return storable(Failed("input", str(error), retry=False))
    return storable(await found.perform(occasion, prepared, means))


EVENT = Kind(load=load, perform=perform, open=open_means)
