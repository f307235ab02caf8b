"""What can be done with invitations. The secret of one goes to a single e-mail address, and works once."""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from allauth.account.models import EmailAddress
from django.core import signing
from django.db import transaction

from badgerjobs.lib import tokens
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.audit import Actor
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.locks import hold_workspace
from badgerjobs.workspaces.membership import ensure_may_make
from badgerjobs.workspaces.models import Invitation, Member, Role, User, Workspace

GOOD_FOR = timedelta(days=7)

# Neither used nor withdrawn, in one workspace: mail to strangers is sent in our name.
MOST_PENDING = 200


class Standing(StrEnum):
    """What has become of an invitation."""

    OPEN = "open"
    USED = "used"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@transaction.atomic
def invite(*, workspace: Workspace, email: str, role: Role, by: Actor, now: datetime) -> tuple[Invitation, str]:
    """Invite whoever reads the mail of this address. The secret is returned beside the row, once.

    An earlier invitation of the same address is withdrawn: the newest one counts. Raises RefusedError.
    """
    held, email = hold_workspace(workspace), email.strip().lower()
    pending = Invitation.objects.filter(workspace=held).pending()
    before = pending.filter(email=email)
    ensure_may_make(by, held, role, *(Role(old.role) for old in before))
    if Member.objects.filter(workspace=held, user__email=email).exists():
        raise RefusedError(f"{email} is a member already. Change their role in the list.")
    before.update(withdrawn_at=now)
    if pending.count() >= MOST_PENDING:
        raise RefusedError(f"{MOST_PENDING} invitations wait already. Withdraw some that nobody will use.")
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        workspace=held,
        email=email,
        role=role,
        digest=tokens.digest_of(secret),
        invited_by=by.user,
        created_at=now,
        expires_at=now + GOOD_FOR,
    )
    changes = {"role": [None, role.value]}
    audit.record(by=by, action="member.invite", subject=email, now=now, workspace=held, changes=changes)
    return invitation, secret


@transaction.atomic
def send_anew(*, invitation: Invitation, by: Actor, now: datetime) -> tuple[Invitation, str]:
    """Give an invitation that was not used a new secret, good for another 7 days; the old one is over at once."""
    workspace = hold_workspace(invitation.workspace)
    held = _held(invitation)
    ensure_may_make(by, workspace, Role(held.role))
    if standing(held, now) in {Standing.USED, Standing.WITHDRAWN}:
        raise RefusedError(f"The invitation of {held.email} is {standing(held, now)}. Invite them again.")
    secret = secrets.token_urlsafe(32)
    before, held.expires_at = held.expires_at, now + GOOD_FOR
    held.digest, held.invited_by = tokens.digest_of(secret), by.user
    held.save(update_fields=["digest", "invited_by", "expires_at"])
    changes = audit.difference({"expires_at": before}, {"expires_at": held.expires_at})
    audit.record(by=by, action="member.invite", subject=held.email, now=now, workspace=workspace, changes=changes)
    return held, secret


@transaction.atomic
def withdraw(*, invitation: Invitation, by: Actor, now: datetime) -> None:
    """Close an invitation. One that was used or withdrawn already stays what it is. Raises RefusedError."""
    workspace = hold_workspace(invitation.workspace)
    held = _held(invitation)
    ensure_may_make(by, workspace, Role(held.role))
    if held.accepted_at or held.withdrawn_at:
        return
    held.withdrawn_at = now
    held.save(update_fields=["withdrawn_at"])
    audit.record(by=by, action="member.withdraw", subject=held.email, now=now, workspace=workspace)


@transaction.atomic
def join(*, invitation: Invitation, user: User, by: Actor, now: datetime) -> Member:
    """Make a member of whom it is for. Raises RefusedError unless it is open, and for one of their addresses."""
    workspace = hold_workspace(invitation.workspace)
    held = _held(invitation)
    if not is_for(held, user):
        raise RefusedError("This invitation is for another e-mail address.")
    if standing(held, now) != Standing.OPEN:
        raise RefusedError(f"This invitation is {standing(held, now)}.")
    held.accepted_at = now
    held.save(update_fields=["accepted_at"])
    member, is_new = Member.objects.get_or_create(workspace=workspace, user=user, defaults={"role": held.role})
    if is_new:
        changes = {"role": [None, held.role]}
        audit.record(by=by, action="member.join", subject=user.email, now=now, workspace=workspace, changes=changes)
    return member


def find(secret: str) -> Invitation | None:
    """The invitation with this secret, whatever has become of it. 256 random bits: knowing it is the way in."""
    found = Invitation.objects.filter(digest=tokens.digest_of(secret))
    return found.select_related("workspace", "invited_by").first()


def standing(invitation: Invitation, now: datetime) -> Standing:
    """What has become of it at `now`."""
    if invitation.accepted_at:
        return Standing.USED
    if invitation.withdrawn_at:
        return Standing.WITHDRAWN
    return Standing.OPEN if now < invitation.expires_at else Standing.EXPIRED


def is_for(invitation: Invitation, user: User) -> bool:
    """Whether it was sent to this person: to the address they sign in with, or another one that they confirmed."""
    if user.email.lower() == invitation.email:
        return True
    theirs = EmailAddress.objects.filter(user=user, email__iexact=invitation.email, verified=True)
    return bool(theirs.exists())


_MAIL = signing.Signer(salt="an invitation that was mailed")


def mail_proof(secret: str) -> str:
    """What stands in the mailed link and not in the one that the inviter may copy: who has it reads that mail."""
    return _MAIL.signature(secret)


def was_mailed(secret: str, proof: str) -> bool:
    """Whether the proof is this secret's: then the invitation's address belongs to whoever shows it."""
    try:
        _MAIL.unsign(f"{secret}:{proof}")
    except signing.BadSignature:
        return False
    return True


def _held(invitation: Invitation) -> Invitation:
    held = Invitation.objects.select_for_update().filter(pk=invitation.pk).first()
    if held is None:
        raise RefusedError("This invitation is not there any more.")
    return held
