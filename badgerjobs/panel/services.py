"""Deleting what everything hangs on: workspaces and applications, with all that the storeys below keep."""

import logging
from datetime import datetime
from functools import partial

from django.db import transaction

from badgerjobs.notices.services import hold_notices
from badgerjobs.runs import services as runs
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.audit import Actor
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.models import Application, Workspace

logger = logging.getLogger(__name__)


@transaction.atomic
def delete_application(*, application: Application, by: Actor, now: datetime) -> None:
    """Delete an application with its jobs, runs, results and tokens. Raises RefusedError when it is gone already."""
    audit.record(by=by, action="application.delete", subject=application.name, now=now, application=application)
    _delete(application)


@transaction.atomic
def delete_workspace(*, workspace: Workspace, by: Actor, now: datetime) -> None:
    """Delete a workspace with all its applications, members and invitations, and with its audit log.

    What remains is a line in the server's log: who did it, when, which way and from where. Raises RefusedError when it
    is gone already.
    """
    # Who adds an application or a member at this moment commits first, or finds nothing.
    held = Workspace.objects.select_for_update().filter(pk=workspace.pk).first()
    if held is None:
        raise RefusedError("This workspace was deleted already.")
    applications = list(held.applications.order_by("pk"))
    for application in applications:
        _delete(application)
    held.delete()
    # Names in quotes with escapes: nobody writes a second line into this log.
    line = f"{by.name!r} (by {by.via}, {by.address or 'no address'}) deleted the workspace {held.name!r} ({held.slug})"
    line += f" with its applications ({len(applications)}) and its audit log at {now.isoformat(timespec='seconds')}"
    transaction.on_commit(partial(logger.info, "%s", line))


def _delete(application: Application) -> None:
    hold_notices(application)
    try:
        runs.delete_application(application=application)
    except Application.DoesNotExist:
        raise RefusedError("This application was deleted already.") from None
