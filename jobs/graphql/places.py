"""In which application a verb of GraphQL is meant to work, and in whose name it is written down there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from badgerjobs.web.graphql import Asker
from badgerjobs.web.problems import Invalid
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from jobs.models import Job
from jobs.services import stays_with

ELSEWHERE = (
    "The {} that this job of another application has stored was not meant for the host of this endpoint. Send it anew, "
    "or null."
)


def place_for(asker: Asker, name: str | None) -> Application:
    """The asker's own application, or the one of the same workspace with this name, in any case. Raises Invalid."""
    own = asker.application
    if not name or name == own.name:
        return own
    beside = Application.objects.filter(workspace=own.workspace_id)
    found = beside.filter(name__iexact=name).select_related("workspace").first() if is_storable(name) else None
    if found is None:
        raise Invalid(applicationName=f"There is no application “{name}” in this workspace. Leave it out for your own.")
    return own if found.pk == own.pk else found


def actor_in(asker: Asker, place: Application) -> audit.Actor:
    """Who does it. In another application's log a token is told with the application that it belongs to."""
    if asker.token is None or place.pk == asker.application.pk:
        return asker.by
    return replace(asker.by, name=f"{asker.by.name} of {asker.application}")


def ensure_stays(job: Job, changes: Mapping[str, Any]) -> None:
    """Raises Invalid where the change of another application's job would send what is stored there to another host.

    Who asks may not read it there, and so may not have it sent to them.
    """
    if stays_with(job.endpoint, changes["endpoint"]):
        return
    if kept := [name for name in ("headers", "body") if name not in changes and getattr(job, name)]:
        raise Invalid(**{name: ELSEWHERE.format(name) for name in kept})


def is_storable(text: str) -> bool:
    """Whether the database could hold it: what it could not is the name of nothing."""
    try:
        return "\0" not in text and bool(text.encode())
    except UnicodeEncodeError:
        return False
