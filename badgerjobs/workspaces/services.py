"""What can be done with workspaces, applications and tokens."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from badgerjobs.lib import tokens
from badgerjobs.workspaces.models import Application, Member, Role, Scope, Token, User, Workspace


@transaction.atomic
def create_application(*, name: str, workspace: str, owner: str = "") -> Application:
    """Find or make an application by name, and whatever it needs: its workspace, and the owner of a new membership.

    `owner` is an e-mail address; a person made here has no password and signs in after a reset.
    """
    place = Workspace.objects.filter(name=workspace).order_by("id").first() or Workspace.objects.create(name=workspace)
    if owner:
        person = User.objects.filter(email__iexact=owner).first() or User.objects.create_user(owner)
        Member.objects.get_or_create(workspace=place, user=person, defaults={"role": Role.OWNER})
    found = Application.objects.filter(workspace=place, name__iexact=name).first()
    return found or Application.objects.create(workspace=place, name=name)


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
