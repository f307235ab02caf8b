"""Reading who is told of what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import BooleanField, ExpressionWrapper, Q

from badgerjobs.workspaces.querysets import OwnedQuerySet

if TYPE_CHECKING:
    from badgerjobs.notices.models import NoticeSettings


class NoticeSettingsQuerySet(OwnedQuerySet["NoticeSettings"]):
    def for_telling(self) -> NoticeSettingsQuerySet:
        """Whether there is a URL, as `has_url`, and not the URL: it is a secret that somebody has to decrypt."""
        has_url = ExpressionWrapper(~Q(url=""), output_field=BooleanField())
        return self.defer("url").annotate(has_url=has_url)
