"""Putting a background task on a schedule: an event that triggers it, and a job that performs the event."""

from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Any

from django.db import transaction

from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from jobs.events.services import create_event, delete_event
from jobs.models import Event, EventType, Job
from jobs.services import create_job, delete_job
from jobs.showing import Row, rows_of
from tasks.hooks import hook_verb

# So many schedules of a definition are listed, and in so many events they are looked for, the newest first: which task
# an event triggers stands in its configuration, which is encrypted.
LISTED, LOOKED_THROUGH = 50, 1000
LONGEST_NAME = 200


@transaction.atomic
def schedule_background_task(  # noqa: PLR0913
    *,
    application: Application,
    definition: str,
    input: Any,  # noqa: A002  it is called so
    tag: str,
    by: audit.Actor,
    now: datetime,
    name: str = "",
    **schedule: Any,
) -> Job:
    """Make both, of this tag, as one step. `schedule`: SCHEDULE_FIELDS, checked.

    The input is the job's, where it is changed, and the event gives it to the task: nothing in it is a placeholder.

    Raises Conflict when the application has a job or an event with this tag, ValidationError for a definition that is
    not there or is private.
    """
    event = create_event(
        application=application, tag=tag, by=by, now=now, name=name or tag, type=EventType.FUNCTION,
        configuration={"background_task": definition},
    )  # fmt: skip
    return create_job(
        application=application, tag=tag, by=by, now=now, name=name or tag, event=event, input=input, endpoint="",
        verb="", retryable=False, **schedule,
    )  # fmt: skip


def is_taken(application: Application, tag: str) -> bool:
    """Whether a job or an event of this application has the tag already."""
    return any(rows.filter(tag=tag).exists() for rows in _tagged(application))


def free_name(application: Application, name: str) -> str:
    """The name, with the least number behind it that makes a tag which nothing has: `Sync articles 2`."""
    taken = {
        tag for rows in _tagged(application) for tag in rows.filter(tag__startswith=name).values_list("tag", flat=True)
    }
    return next(one for one in _numbered(name) if one not in taken)


def _numbered(name: str) -> Iterator[str]:
    yield name
    for number in count(2):
        yield f"{name[: LONGEST_NAME - 10]} {number}"


def _tagged(application: Application) -> tuple[Any, Any]:
    return Job.objects.for_application(application), Event.objects.for_application(application)


def schedules_of(application: Application, definition: str, now: datetime) -> list[Row]:
    """The jobs that trigger a background task by their event, by name: so many, and no more."""
    events = Event.objects.for_application(application).filter(type=EventType.FUNCTION, jobs__isnull=False).distinct()
    newest = events.order_by("-pk")[:LOOKED_THROUGH]
    ids = [event.pk for event in newest if event.configuration.get("background_task") == definition]
    jobs = Job.objects.for_application(application).filter(event_id__in=ids).in_rows()
    return rows_of(jobs.order_by("name", "pk")[:LISTED], now) if ids else []


def event_made_with(job: Job) -> Event | None:
    """The event that was made together with a job, if nothing else performs it: no other job, and no webhook."""
    application, event = job.application, job.event
    if event is None or event.tag != job.tag or not event.configuration.get("background_task"):
        return None
    is_shared = event.jobs.exclude(pk=job.pk).exists() or hook_verb("starters")(application, "event", event.tag)
    return None if is_shared else event


@transaction.atomic
def delete_with_event(*, job: Job, event: Event, by: audit.Actor, now: datetime) -> None:
    """Delete a job, and its event unless another job performs that by now."""
    delete_job(job=job, by=by, now=now)
    try:
        delete_event(event=event, by=by, now=now)
    except Conflict:
        return
