"""Taking a row for oneself, so that of two changes at once the second one sees what the first one did."""

from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.models import Application, Workspace


def hold_workspace(workspace: Workspace) -> Workspace:
    """The workspace as it is now, until the transaction ends nobody else's to change. Raises RefusedError."""
    # Without the key: who writes rows that only point to it, entries of the log for one, need not wait.
    held = Workspace.objects.select_for_update(no_key=True).filter(pk=workspace.pk).first()
    if held is None:
        raise RefusedError("This workspace was deleted in the meantime.")
    return held


def hold_application(application: Application) -> Application:
    """The same for an application. Raises RefusedError."""
    held = Application.objects.select_for_update(no_key=True).filter(pk=application.pk).first()
    if held is None:
        raise RefusedError("This application was deleted in the meantime.")
    return held
