"""Finding hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from badgerjobs.lib import tokens
from badgerjobs.workspaces.querysets import OwnedQuerySet

if TYPE_CHECKING:
    from webhooks.models import Hook


class HookQuerySet(OwnedQuerySet["Hook"]):
    def by_secret(self, secret: str) -> Hook | None:
        """The one that is called at this address, with what it leads to; None where there is none.

        It is looked up by the digest of what was sent, and how long that takes tells nothing of what is stored.
        """
        rows = self.select_related("application", "task__runnable").defer("secret")
        return rows.filter(digest=tokens.digest_of(secret)).first()
