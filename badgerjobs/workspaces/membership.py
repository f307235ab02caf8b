"""What can be done with the members of a workspace. A workspace has an owner at every moment.

Each verb holds the workspace first and reads the roles after that, the asker's too: two owners who lower each other at
once are one after the other, and the second one is refused.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from badgerjobs.workspaces import audit
from badgerjobs.workspaces.audit import Actor
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.locks import hold_workspace
from badgerjobs.workspaces.models import Invitation, Member, Role, User, Via, Workspace

LAST_OWNER = "{who} the only owner of “{where}”. Make somebody else an owner first."


@transaction.atomic
def change_role(*, member: Member, role: Role, by: Actor, now: datetime) -> Member:
    """Give a member another role, and withdraw the invitations that they have sent for a role which it may not give.

    Raises RefusedError where the asker's own role does not reach that far.
    """
    workspace = hold_workspace(member.workspace)
    held = _held(workspace, member.user)
    ensure_may_make(by, workspace, Role(held.role), role)
    if role != held.role:
        _ensure_an_owner_stays(held, role)
        _change(held, role, by, now)
    return held


@transaction.atomic
def remove_member(*, member: Member, by: Actor, now: datetime) -> None:
    """Take somebody out of the workspace, and the invitations that they have sent with them. Raises RefusedError."""
    workspace = hold_workspace(member.workspace)
    held = _held(workspace, member.user)
    ensure_may_make(by, workspace, Role(held.role))
    _ensure_an_owner_stays(held, None)
    _withdraw_sent_by(held, now)
    changes = {"role": [held.role, None]}
    held.delete()
    audit.record(by=by, action="member.remove", subject=held.user.email, now=now, workspace=workspace, changes=changes)


@transaction.atomic
def leave(*, workspace: Workspace, user: User, by: Actor, now: datetime) -> None:
    """Go, of one's own accord. Raises RefusedError for the only owner."""
    held = _held(hold_workspace(workspace), user)
    _ensure_an_owner_stays(held, None)
    _withdraw_sent_by(held, now)
    changes = {"role": [held.role, None]}
    held.delete()
    audit.record(by=by, action="member.leave", subject=user.email, now=now, workspace=workspace, changes=changes)


def ensure_may_make(by: Actor, workspace: Workspace, *roles: Role) -> None:
    """Raise RefusedError unless the asker may give and take these roles: admins all but the owner's, owners any.

    Within a transaction that holds the workspace. Whoever has a shell on the machine may do anything.
    """
    if by.via == Via.COMMAND:
        return
    own = Member.objects.filter(workspace=workspace, user=by.user).first() if by.user else None
    given = roles_given_by(Role(own.role)) if own else ()
    if not given:
        raise RefusedError("Only admins and owners manage members.")
    if not set(roles) <= set(given):
        raise RefusedError("Only an owner can make, change or remove an owner.")


def roles_given_by(own: Role) -> Sequence[Role]:
    """The roles that whoever has this one may give and take, the highest first; none for most."""
    return [role for role in Role if own.reaches(role)] if own.reaches(Role.ADMIN) else []


def _held(workspace: Workspace, user: User) -> Member:
    held = Member.objects.filter(workspace=workspace, user=user).select_related("user", "workspace").first()
    if held is None:
        raise RefusedError(f"{user} is not a member of “{workspace}” any more.")
    return held


def _ensure_an_owner_stays(member: Member, role: Role | None) -> None:
    if member.role != Role.OWNER or role == Role.OWNER:
        return
    others = Member.objects.filter(workspace=member.workspace, role=Role.OWNER).exclude(pk=member.pk)
    if not others.exists():
        raise RefusedError(LAST_OWNER.format(who=f"{member.user} is", where=member.workspace))


def _change(member: Member, role: Role, by: Actor, now: datetime) -> None:
    before, member.role = member.role, role
    member.save(update_fields=["role"])
    _withdraw_sent_by(member, now, but=roles_given_by(role))
    changes = audit.difference({"role": before}, {"role": role})
    audit.record(
        by=by, action="member.role", subject=member.user.email, now=now, workspace=member.workspace, changes=changes
    )


def _withdraw_sent_by(member: Member, now: datetime, but: Collection[Role] = ()) -> None:
    # Else who was removed or lowered comes back through a door that they have left open for themselves.
    sent = Invitation.objects.filter(workspace=member.workspace, invited_by=member.user).pending()
    sent.exclude(role__in=but).update(withdrawn_at=now)
