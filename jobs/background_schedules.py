"""Putting a background task on a schedule: an event that triggers it, and a job that performs the event."""

from datetime import datetime
from typing import Any

from django.db import transaction

from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from jobs.events.services import create_event
from jobs.models import EventType, Job
from jobs.services import create_job


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
