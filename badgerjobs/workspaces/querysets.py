"""The gates: the only way in which pages and endpoints reach what a tenant owns."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models
from django.db.models import Q

from badgerjobs.lib import tokens

if TYPE_CHECKING:
    from badgerjobs.workspaces.models import Application, Token, User, Workspace

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


class TokenQuerySet(OwnedQuerySet["Token"]):
    def by_token(self, secret: str, now: datetime) -> Token | None:
        """The valid token with this secret, its application loaded; None when unknown, revoked or expired at `now`."""
        prefix = tokens.prefix_of(secret)
        candidates = self.usable(now).filter(prefix=prefix).select_related("application__workspace") if prefix else ()
        return next((token for token in candidates if tokens.matches(secret, token.digest)), None)

    def usable(self, now: datetime) -> TokenQuerySet:
        """Neither revoked nor expired at `now`."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)

    def mark_used(self, token: Token, now: datetime) -> None:
        """Remember that a token was used, to the minute: a busy token must not cost a write for each request."""
        if token.last_used_at is None or now - token.last_used_at >= timedelta(minutes=1):
            self.filter(pk=token.pk).update(last_used_at=now)
