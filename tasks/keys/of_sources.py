"""What the pages of sources tell of the keys that use them: how they stand, and how their last syncs fared."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from django.db import connection

from badgerjobs.sources.models import DataSource
from badgerjobs.sources.uses import Use
from badgerjobs.workspaces.models import Application
from tasks.keys.states import KeyState, state_of
from tasks.models import CacheKey, KeySync

# So many keys are listed; their number is told.
LISTED = 50
# An application's last syncs, among which those of a source are looked for; and so many of them are looked at.
RECENT, LOOKED_AT = 5_000, 500
# Where none of those is the source's: so many of its keys are asked when they were tried last.
ASKED = 100
# So many are named as slow, or as failed.
NAMED = 5

_OF_SOURCE = """
SELECT sync.* FROM (
    SELECT * FROM tasks_keysync WHERE application_id = %s ORDER BY id DESC LIMIT %s
) sync JOIN tasks_cachekey key ON key.id = sync.key_id
WHERE key.source_id = %s AND sync.state <> 'waiting' ORDER BY sync.id DESC LIMIT %s
"""
_LAST = """
SELECT key.source_id, max(sync.started_at) FROM (
    SELECT key_id, started_at FROM tasks_keysync WHERE application_id = %s ORDER BY id DESC LIMIT %s
) sync JOIN tasks_cachekey key ON key.id = sync.key_id
WHERE key.source_id = ANY(%s) AND sync.started_at IS NOT NULL GROUP BY 1
"""
_TRIED = """
SELECT id, (
    SELECT max(tried_at) FROM (
        SELECT value.tried_at FROM tasks_cachekey key JOIN tasks_cachedvalue value ON value.key_id = key.id
        WHERE key.source_id = source.id LIMIT %s
    ) tried
) FROM unnest(%s::bigint[]) AS source(id)
"""


class Row(NamedTuple):
    """A key in the list, and how it stands."""

    key: CacheKey
    state: KeyState


class KeysOfSource:
    """Everything is looked up when it is shown, and once."""

    def __init__(self, source: DataSource, now: datetime) -> None:
        self.source, self.now = source, now

    @cached_property
    def count(self) -> int:
        """How many use it."""
        return CacheKey.objects.for_application(self.source.application).filter(source=self.source).count()

    @cached_property
    def rows(self) -> list[Row]:
        """The first by name: so many, and no more."""
        keys = CacheKey.objects.for_application(self.source.application).filter(source=self.source)
        found = keys.select_related("value").defer("value__body").order_by("name")[:LISTED]
        return [Row(key, state_of(key, key.value, self.now)) for key in found]

    @cached_property
    def syncs(self) -> list[KeySync]:
        """The last ones that are over, newest first, among the last of the application."""
        application = self.source.application_id
        return list(KeySync.objects.raw(_OF_SOURCE, [application, RECENT, self.source.pk, LOOKED_AT]))

    @property
    def strip(self) -> list[KeySync]:
        """The same, the newest last."""
        return self.syncs[::-1]

    @property
    def failed(self) -> list[KeySync]:
        return [sync for sync in self.syncs if sync.state == "failed"]

    @property
    def failures(self) -> list[KeySync]:
        """The last that failed, each key once."""
        return _once_each(self.failed)

    @property
    def slowest(self) -> list[KeySync]:
        """Those that took longest, each key once."""
        timed = [sync for sync in self.syncs if sync.duration_ms is not None]
        return _once_each(sorted(timed, key=lambda sync: -(sync.duration_ms or 0)))

    @property
    def median_ms(self) -> int | None:
        """Half of them were quicker."""
        return self._quantile(0.5)

    @property
    def p95_ms(self) -> int | None:
        """So were 95 of 100."""
        return self._quantile(0.95)

    def _quantile(self, share: float) -> int | None:
        timed = sorted(sync.duration_ms for sync in self.syncs if sync.duration_ms is not None)
        return timed[min(len(timed) - 1, int(len(timed) * share))] if timed else None

    @property
    def last_at(self) -> datetime | None:
        """When the last of them was over."""
        return self.syncs[0].finished_at if self.syncs else None


def _once_each(syncs: Iterable[KeySync]) -> list[KeySync]:
    """The first of each key: so many, and no more."""
    first: dict[int, KeySync] = {}
    for sync in syncs:
        if len(first) == NAMED:
            break
        first.setdefault(sync.key_id, sync)
    return list(first.values())


def last_used(application: Application, sources: Sequence[DataSource]) -> Mapping[int, datetime]:
    """Source id → when a key of it was last tried.

    Told by the application's last syncs; of a source that is not among them by some of its keys.
    """
    ids = [source.pk for source in sources]
    with connection.cursor() as cursor:
        cursor.execute(_LAST, [application.pk, RECENT, ids])
        found = dict(cursor.fetchall())
        if others := [one for one in ids if one not in found]:
            cursor.execute(_TRIED, [ASKED, others])
            found |= {source_id: moment for source_id, moment in cursor.fetchall() if moment}
    return found


KEYS = Use(KeysOfSource, last_used, "tasks/keys/of_source.html")
