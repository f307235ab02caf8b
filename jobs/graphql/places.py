"""In which application a verb of GraphQL is meant to work, and in whose name it is written down there."""

from dataclasses import replace

from badgerjobs.web.graphql import Asker
from badgerjobs.web.problems import Invalid
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application


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


def is_storable(text: str) -> bool:
    """Whether the database could hold it: what it could not is the name of nothing."""
    try:
        return "\0" not in text and bool(text.encode())
    except UnicodeEncodeError:
        return False
