"""What can be done with workspaces, applications and tokens."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from badgerjobs.lib import tokens
from badgerjobs.workspaces.models import Application, Member, Role, Scope, Token, User, Workspace


class AmbiguousError(Exception):
    """Several things have the name that was given."""


@transaction.atomic
def create_application(*, name: str, workspace: str, owner: str = "") -> Application:
    """Find or make an application by name, and whatever it needs: its workspace, and an owner for a new one.

    `owner` is an e-mail address; a person made here has no password and signs in after a reset. Workspaces' names may
    repeat. With an owner it is one that they own, else one that has no members, else a new one: never somebody else's.
    Without, it is the only one of that name; raises AmbiguousError when there are several.
    """
    place = _workspace_of(_person(owner), workspace) if owner else _only_workspace(workspace)
    found = Application.objects.filter(workspace=place, name__iexact=name).first()
    return found or Application.objects.create(workspace=place, name=name)


def _person(email: str) -> User:
    return User.objects.filter(email__iexact=email).first() or User.objects.create_user(email)


def _workspace_of(person: User, name: str) -> Workspace:
    named = Workspace.objects.filter(name=name).order_by("id")
    if owned := named.filter(members__user=person, members__role=Role.OWNER).first():
        return owned
    place = named.filter(members=None).first() or Workspace.objects.create(name=name)
    Member.objects.create(workspace=place, user=person, role=Role.OWNER)
    return place


def _only_workspace(name: str) -> Workspace:
    found = Workspace.objects.filter(name=name)[:2]
    if len(found) > 1:
        raise AmbiguousError(f"There are several workspaces named “{name}”. Say whose it is with --owner EMAIL.")
    return found[0] if found else Workspace.objects.create(name=name)


def issue_token(
    *, application: Application, label: str, scopes: Iterable[str] = Scope.values, expires_at: datetime | None = None
) -> tuple[Token, str]:
    """Make a token. The secret is returned beside the row, once: it is stored nowhere."""
    made = tokens.make()
    token = Token.objects.create(
        application=application,
        label=label,
        prefix=made.prefix,
        digest=made.digest,
        scopes=list(scopes),
        expires_at=expires_at,
    )
    return token, made.secret


def revoke_token(*, token: Token, now: datetime) -> None:
    """End a token at once. Ending it twice keeps the first moment."""
    Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)
