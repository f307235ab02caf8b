"""In whose name tasks that come with Badger Jobs do something, and for whom: as the audit log tells it."""

from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application, Via
from tasks.background import Params


def application_of(params: Params) -> Application:
    """The row of the application that a run belongs to."""
    return Application.objects.select_related("workspace").get(pk=params.context.application.id)


def actor_of(params: Params) -> audit.Actor:
    """The task itself: who triggered it stands on its page, and in the log of that."""
    return audit.Actor(f"background task {params.definition.id}", Via.COMMAND)
