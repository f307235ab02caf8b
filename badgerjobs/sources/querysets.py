"""Reading data sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from badgerjobs.workspaces.querysets import OwnedQuerySet

if TYPE_CHECKING:
    from badgerjobs.sources.models import DataSource


class DataSourceQuerySet(OwnedQuerySet["DataSource"]):
    def in_rows(self) -> DataSourceQuerySet:
        """Without what is encrypted, and long."""
        return self.defer("configuration")
