"""In which application a verb of GraphQL is meant to work, and in whose name it is written down there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from badgerjobs.lib.storable import is_storable
from badgerjobs.lib.vault import MASK
from badgerjobs.web.graphql import Asker
from badgerjobs.web.problems import Conflict, Invalid
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from jobs.models import Job

ELSEWHERE = (
    "The {} that this job of another application has stored was meant for its endpoint as it is, and for no other, on "
    "the same host either. Send it anew, or null."
)
PERFORMS = "This job of another application performs an event: it can be changed there, and not from here."


def place_for(asker: Asker, name: str | None) -> Application:
    """The asker's own application, or the one of the same workspace with this name, in any case. Raises Invalid."""
    own = asker.application
    if not name or name == own.name:
        return own
    beside = Application.objects.filter(workspace=own.workspace_id)
    found = beside.filter(name__iexact=name).select_related("workspace").first() if may_be_a_name(name) else None
    if found is None:
        raise Invalid(applicationName=f"There is no application “{name}” in this workspace. Leave it out for your own.")
    return own if found.pk == own.pk else found


def actor_in(asker: Asker, place: Application) -> audit.Actor:
    """Who does it. In another application's log a token is told with the application that it belongs to."""
    if asker.token is None or place.pk == asker.application.pk:
        return asker.by
    return replace(asker.by, name=f"{asker.by.name} of {asker.application}")


def ensure_calls(job: Job) -> None:
    """Raises Conflict for another application's job that performs an event, and does not say which."""
    if job.event_id is not None:
        raise Conflict(PERFORMS)


def ensure_stays(job: Job, changes: Mapping[str, Any]) -> None:
    """Raises Invalid where the change of another application's job would send what is stored there to another endpoint.

    Who asks may not read it there, and so may not have it sent where they can: another path of one host may be theirs.
    """
    if job.endpoint == changes["endpoint"]:
        return
    anew = {name for name in ("headers", "body") if name in changes}
    if MASK in (changes.get("headers") or {}).values():  # it stands for what is stored
        anew.discard("headers")
    if kept := [name for name in ("headers", "body") if name not in anew and getattr(job, name)]:
        raise Invalid(**{name: ELSEWHERE.format(name) for name in kept})


def may_be_a_name(text: str) -> bool:
    """Whether anything could have this name: what the database cannot hold names nothing."""
    return bool(text) and is_storable(text)
