"""What can be done with workspaces and applications."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower

from badgerjobs.workspaces import audit
from badgerjobs.workspaces.audit import Actor
from badgerjobs.workspaces.errors import NameTakenError
from badgerjobs.workspaces.locks import hold_application, hold_workspace
from badgerjobs.workspaces.models import Application, Member, Role, User, Workspace
from badgerjobs.workspaces.retry_policy import RETRY_COLUMNS


class AmbiguousError(Exception):
    """Several things have the name that was given."""


@transaction.atomic
def create_application(*, name: str, workspace: str, by: Actor, now: datetime, owner: str = "") -> Application:
    """Find or make an application by name, and whatever it needs: its workspace, and an owner for a new one.

    `owner` is an e-mail address; a person made here has no password and signs in after a reset. Workspaces' names may
    repeat. With an owner it is one that they own, else one that has no members, else a new one: never somebody else's.
    Without, it is the only one of that name; raises AmbiguousError when there are several.
    """
    place = _workspace_of(_person(owner), workspace, by, now) if owner else _only_workspace(workspace, by, now)
    found = Application.objects.filter(workspace=place, name__iexact=name).first()
    return found or _application(place, name, by, now)


def _person(email: str) -> User:
    return User.objects.filter(email__iexact=email).first() or User.objects.create_user(email)


def _workspace_of(person: User, name: str, by: Actor, now: datetime) -> Workspace:
    named = Workspace.objects.filter(name=name).order_by("id")
    if owned := named.filter(members__user=person, members__role=Role.OWNER).first():
        return owned
    place = named.filter(members=None).first() or _workspace(name, by, now)
    member = Member.objects.create(workspace=place, user=person, role=Role.OWNER)
    changes = audit.difference({}, {"role": member.role})
    audit.record(by=by, action="member.add", subject=person.email, now=now, workspace=place, changes=changes)
    return place


def _only_workspace(name: str, by: Actor, now: datetime) -> Workspace:
    found = Workspace.objects.filter(name=name)[:2]
    if len(found) > 1:
        raise AmbiguousError(f"There are several workspaces named “{name}”. Say whose it is with --owner EMAIL.")
    return found[0] if found else _workspace(name, by, now)


def _workspace(name: str, by: Actor, now: datetime) -> Workspace:
    workspace = Workspace.objects.create(name=name)
    audit.record(by=by, action="workspace.create", subject=name, now=now, workspace=workspace)
    return workspace


def _application(workspace: Workspace, name: str, by: Actor, now: datetime) -> Application:
    application = Application.objects.create(workspace=workspace, name=name)
    audit.record(by=by, action="application.create", subject=name, now=now, application=application)
    return application


@transaction.atomic
def create_workspace(*, name: str, owner: User, by: Actor, now: datetime) -> Workspace:
    """Make a workspace, and its maker the owner."""
    workspace = _workspace(name, by, now)
    Member.objects.create(workspace=workspace, user=owner, role=Role.OWNER)
    return workspace


@transaction.atomic
def rename_workspace(*, workspace: Workspace, name: str, by: Actor, now: datetime) -> Workspace:
    """Give a workspace another name; its address stays. Raises RefusedError when it is gone."""
    held = hold_workspace(workspace)
    if changes := audit.difference({"name": held.name}, {"name": name}):
        held.name = name
        held.save(update_fields=["name"])
        audit.record(by=by, action="workspace.rename", subject=name, now=now, workspace=held, changes=changes)
    return held


@transaction.atomic
def add_application(*, workspace: Workspace, name: str, by: Actor, now: datetime) -> Application:
    """Make an application in a workspace. Raises NameTakenError, in whatever case the name is, and RefusedError."""
    held = hold_workspace(workspace)
    _ensure_free(held, name)
    return _application(held, name, by, now)


@transaction.atomic
def rename_application(*, application: Application, name: str, by: Actor, now: datetime) -> Application:
    """Give an application another name; its address and its tokens stay. Raises NameTakenError and RefusedError."""
    workspace, held = hold_workspace(application.workspace), hold_application(application)
    if changes := audit.difference({"name": held.name}, {"name": name}):
        _ensure_free(workspace, name, but=held)
        held.name = name
        held.save(update_fields=["name", "updated_at"])
        audit.record(by=by, action="application.rename", subject=name, now=now, application=held, changes=changes)
    return held


# What an application decides for all that is in it.
POLICY_FIELDS = (
    *RETRY_COLUMNS, "warn_after", "pause_after", "probe_after_s", "retention_days", "background_retention_days",
    "requests_per_second",
)  # fmt: skip
# For how long runs may be kept.
MOST_DAYS = 3650


@transaction.atomic
def change_application(*, application: Application, by: Actor, now: datetime, **fields: Any) -> Application:
    """Change what is given of POLICY_FIELDS and `late_after_s`, checked. Raises RefusedError when it is gone."""
    held = hold_application(application)
    if changes := audit.difference({name: getattr(held, name) for name in fields}, fields):
        for name, value in fields.items():
            setattr(held, name, value)
        held.save(update_fields=[*fields, "updated_at"])
        audit.record(by=by, action="application.change", subject=held.name, now=now, application=held, changes=changes)
    return held


def _ensure_free(workspace: Workspace, name: str, but: Application | None = None) -> None:
    """Within a transaction that holds the workspace: nobody else names one meanwhile, but for a command."""
    named = Application.objects.filter(workspace=workspace).alias(lower=Lower("name")).filter(lower=Lower(Value(name)))
    if named.exclude(pk=but.pk if but else 0).exists():
        raise NameTakenError(f"There is an application named “{name}” in “{workspace}” already. Choose another name.")
