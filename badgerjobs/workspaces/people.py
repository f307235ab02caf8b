"""What can be done with people: letting them in, and giving them a place of their own."""

from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction

from badgerjobs.workspaces import audit
from badgerjobs.workspaces.audit import Actor
from badgerjobs.workspaces.models import Member, Role, User, Workspace
from badgerjobs.workspaces.services import add_application, create_workspace

FIRST_APPLICATION = "my-app"


@transaction.atomic
def open_workspace(*, user: User, by: Actor, now: datetime) -> Workspace | None:
    """Give somebody who is in no workspace one of their own, with an application in it, so that they can begin.

    Returns None for who is in one already; of two requests at once the second one finds what the first one made.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if Member.objects.filter(user=user).exists():
        return None
    name = f"{user.email.partition('@')[0][:60]}\u2019s workspace"
    workspace = create_workspace(name=name, owner=user, by=by, now=now)
    add_application(workspace=workspace, name=FIRST_APPLICATION, by=by, now=now)
    return workspace


def may_make_workspaces(user: User) -> bool:
    """Where anybody may sign up everybody; else who owns a workspace already: a guest's place is where they work."""
    return settings.SIGN_UP == "open" or Member.objects.of(user).filter(role=Role.OWNER).exists()


@transaction.atomic
def admit(*, user: User, password: str) -> None:
    """Let somebody sign in with this password, their address taken as confirmed: for whoever runs the machine."""
    user.set_password(password)
    user.save(update_fields=["password"])
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


@transaction.atomic
def forget_second_factor(*, user: User, by: Actor, now: datetime) -> bool:
    """Turn somebody's second factor off, their passkeys and recovery codes too, and say whether there was any."""
    deleted, _ = Authenticator.objects.filter(user=user).delete()
    if deleted:
        audit.record_everywhere(by=by, action="account.factor_forgotten", person=user, now=now)
    return bool(deleted)


@transaction.atomic
def clear_the_way(*, address: EmailAddress) -> bool:
    """Delete accounts that were made with this address and never confirmed it: it is about to be somebody else's.

    Returns False when the address belongs to another account that counts: a confirmed one, or one with a workspace.
    """
    others = User.objects.filter(email__iexact=address.email).exclude(pk=address.user_id)
    confirmed = EmailAddress.objects.filter(verified=True).values("user")
    others.exclude(pk__in=confirmed).filter(memberships=None).delete()
    return not others.exists()
