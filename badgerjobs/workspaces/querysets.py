"""The gates: the only way in which pages and endpoints reach what a tenant owns."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models
from django.db.models import Q

from badgerjobs.lib import tokens

if TYPE_CHECKING:
    from badgerjobs.workspaces.models import (
        Application,
        AuditEntry,
        Invitation,
        Member,
        Token,
        User,
        Workspace,
    )

M = TypeVar("M", bound=models.Model)


class OwnedQuerySet(models.QuerySet[M]):
    """Rows below an application."""

    def for_application(self, application: Application) -> Self:
        """Only the rows that this application owns."""
        return self.filter(application=application)


class WorkspaceQuerySet(models.QuerySet["Workspace"]):
    def for_user(self, user: User) -> WorkspaceQuerySet:
        """The workspaces that this person is a member of."""
        return self.filter(members__user=user)


class ApplicationQuerySet(models.QuerySet["Application"]):
    def for_user(self, user: User) -> ApplicationQuerySet:
        """The applications of the workspaces that this person is a member of."""
        return self.filter(workspace__members__user=user)


class MemberQuerySet(models.QuerySet["Member"]):
    def for_user(self, user: User) -> MemberQuerySet:
        """Everybody in the workspaces that this person is a member of."""
        return self.filter(workspace__members__user=user)

    def of(self, user: User) -> MemberQuerySet:
        """What this person is in each workspace, the workspace loaded."""
        return self.filter(user=user).select_related("workspace")


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def for_user(self, user: User) -> InvitationQuerySet:
        """The invitations of the workspaces that this person is a member of."""
        return self.filter(workspace__members__user=user)

    def pending(self) -> InvitationQuerySet:
        """Neither accepted nor withdrawn; perhaps expired."""
        return self.filter(accepted_at=None, withdrawn_at=None)

    def open(self, now: datetime) -> InvitationQuerySet:
        """Neither accepted nor withdrawn, nor expired at `now`."""
        return self.pending().filter(expires_at__gt=now)


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def for_user(self, user: User) -> AuditQuerySet:
        """The log of the workspaces that this person is a member of."""
        return self.filter(workspace__members__user=user)


class TokenQuerySet(OwnedQuerySet["Token"]):
    def by_token(self, secret: str, now: datetime) -> Token | None:
        """The valid token with this secret, its application loaded; None when unknown, revoked or expired at `now`."""
        prefix = tokens.prefix_of(secret)
        candidates = self.usable(now).filter(prefix=prefix).select_related("application__workspace") if prefix else ()
        return next((token for token in candidates if tokens.matches(secret, token.digest)), None)

    def usable(self, now: datetime) -> TokenQuerySet:
        """Neither revoked nor expired at `now`."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)

    def over(self, now: datetime) -> TokenQuerySet:
        """Revoked, or expired at `now`."""
        return self.filter(Q(revoked_at__isnull=False) | Q(expires_at__lte=now))

    def mark_used(self, token: Token, now: datetime) -> None:
        """Remember that a token was used, to the minute: a busy token must not cost a write for each request."""
        if token.last_used_at is None or now - token.last_used_at >= timedelta(minutes=1):
            self.filter(pk=token.pk).update(last_used_at=now)
