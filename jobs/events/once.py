"""An event that is performed once, without a job: what for instance a webhook asks for.

It is a run of no runnable, and is tried again as its application has it. What it is to do stands in its input: the
event's tag, and what that is given.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count

from badgerjobs.runs import making
from badgerjobs.runs.kinds import Claimed, Kind
from badgerjobs.runs.models import Cause, Queue, Run
from badgerjobs.runs.outcomes import Outcome
from badgerjobs.runs.worker import ring_after_commit
from jobs.events.means import Means, open_means
from jobs.events.perform import occasion_of, performed
from jobs.models import Event

# The row of RUN_KINDS that performs them.
KIND = "event_once"
# As that of a job of which nothing else is said.
PRIORITY = 50

# An application's id, and a tag.
Place = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Wish:
    """An event that is to be performed once, and what it is given: any JSON, as text that can be kept."""

    application_id: int
    tag: str
    input: str = "null"


def events_at(places: Sequence[Place]) -> dict[Place, Event]:
    """Those that are there, perhaps among others, with their connections and applications: three queries."""
    owners, tags = {owner for owner, _ in places}, {tag for _, tag in places}
    rows = Event.objects.filter(application_id__in=owners, tag__in=tags)
    return {(event.application_id, event.tag): event for event in rows.prefetch_related("connection", "application")}


def perform_once(wishes: Sequence[Wish], *, cause: Cause, now: datetime) -> list[UUID]:
    """Have these events performed, each by a run of its own, within the caller's transaction. Returns their ids."""
    given = [(one.application_id, f'{{"event": {json.dumps(one.tag)}, "input": {one.input}}}') for one in wishes]
    ids = making.queue_alone_as(given, kind=KIND, queue=Queue.IO, priority=PRIORITY, now=now, cause=cause)
    ring_after_commit(Queue.IO)
    return ids


def unfinished_of(application_ids: Iterable[int]) -> dict[int, int]:
    """How many such runs of these applications wait or run: none of one that is left out."""
    runs = Run.objects.filter(runnable=None, kind=KIND, application_id__in=application_ids).unfinished().order_by()
    counts = runs.values("application_id").annotate(count=Count("pk"))
    return dict(counts.values_list("application_id", "count"))


@dataclass(frozen=True, slots=True)
class Work:
    """An event as it is now: an edit reaches the next attempt."""

    event: Event


def load(runs: Sequence[Claimed]) -> dict[UUID, Work]:
    """The events of a batch of runs, in three queries. A run whose event was deleted is left out."""
    places = {run.id: (run.application_id, tag_in(run.input)) for run in runs}
    found = events_at([*places.values()])
    for run in runs:
        if event := found.get(places[run.id]):
            run.follow(event.application.policy)
    return {run_id: Work(found[place]) for run_id, place in places.items() if place in found}


def tag_in(given: Any) -> str:
    """The tag of the event that a run was made for; empty where its input is none of ours."""
    return str(given.get("event", "")) if isinstance(given, Mapping) else ""


def input_in(given: Any) -> Any:
    """What the event of such a run is given."""
    return given.get("input") if isinstance(given, Mapping) else None


async def perform(run: Claimed, work: Work, means: Means) -> Outcome:
    """As a job would perform it."""
    of_run = {"id": str(run.id), "number": run.number, "due_at": run.due_at.isoformat()}
    values = {"input": input_in(run.input), "run": of_run}
    return await performed(work.event.type, occasion_of(run.id, work.event, work.event.application, values), means)


EVENT_ONCE = Kind(load=load, perform=perform, open=open_means)
