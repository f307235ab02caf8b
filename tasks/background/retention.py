"""Deletes background tasks that ended too long ago, with their logs, by days of their own.

How many days that are says the definition, or else the application, or else BACKGROUND_RETENTION_DAYS. 0: for ever.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs import remains
from badgerjobs.runs.beside import Beside, Owner
from badgerjobs.workspaces.models import Application
from tasks.background.definitions import definitions
from tasks.background.triggering import KIND

# By an index of application, or of application and definition, and id, whose order is that of time.
_FORGET = f"""
WITH old AS (
    SELECT one.id, kept.application_id
    FROM unnest(%(applications)s::bigint[], %(definitions)s::text[], %(befores)s::uuid[], %(cutoffs)s::timestamptz[])
        AS kept (application_id, definition, before, cutoff)
    CROSS JOIN LATERAL (
        SELECT r.id FROM tasks_backgroundrun b JOIN runs_run r ON r.id = b.run_id
        WHERE b.application_id = kept.application_id AND {{which}} AND b.run_id < kept.before
          AND r.finished_at < kept.cutoff AND r.state IN ('succeeded', 'failed', 'aborted')
        ORDER BY b.run_id LIMIT %(each)s FOR UPDATE OF r SKIP LOCKED
    ) AS one
), rows AS (DELETE FROM tasks_backgroundrun USING old WHERE tasks_backgroundrun.run_id = old.id){remains.DELETE_OLD}
SELECT application_id FROM old GROUP BY application_id HAVING count(*) >= %(each)s
"""  # noqa: S608
_THOSE = _FORGET.format(which="b.definition = kept.definition")
_OTHERS = _FORGET.format(which="NOT b.definition = ANY(%(apart)s)")

# An application, a definition or None for all that say nothing themselves, and for how many days their runs are kept.
Kept = tuple[int, str | None, int]


def end() -> None:
    """Nothing is kept that its run's end would not change itself."""


def forget(given: Mapping[str, Any]) -> Collection[int]:
    """Delete a batch of what is too old. Returns the applications that may have more."""
    own = {one.id: one.retention_days for one in definitions() if one.retention_days is not None}
    kept = list(_kept(given["applications"], own))
    those = [one for one in kept if one[1] is not None]
    others = [one for one in kept if one[1] is None]
    full: set[int] = set()
    for statement, rows in ((_THOSE, those), (_OTHERS, others)):
        if rows:
            with connection.cursor() as cursor:
                cursor.execute(statement, {**_columns(rows, given["now"]), "apart": list(own), "each": given["each"]})
                full.update(application_id for (application_id,) in cursor.fetchall())
    return full


def _kept(applications: Collection[int], own: Mapping[str, int]) -> Iterator[Kept]:
    """What is not kept for ever."""
    rows = Application.objects.filter(pk__in=applications).values_list("pk", "background_retention_days")
    for application_id, chosen in rows:
        days = settings.BACKGROUND_RETENTION_DAYS if chosen is None else chosen
        if days:
            yield application_id, None, days
        yield from ((application_id, name, its_days) for name, its_days in own.items() if its_days)


def _columns(rows: Collection[Kept], now: datetime) -> dict[str, Any]:
    cutoffs = [now - timedelta(days=days) for _, _, days in rows]
    return {
        "applications": [application_id for application_id, _, _ in rows],
        "definitions": [name for _, name, _ in rows],
        "befores": [uuid7_floor(cutoff) for cutoff in cutoffs],
        "cutoffs": cutoffs,
    }


_LEAVE = """
WITH left_over AS (
    SELECT run_id FROM tasks_backgroundrun WHERE application_id = %(id)s
    ORDER BY run_id DESC LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
DELETE FROM tasks_backgroundrun USING left_over WHERE tasks_backgroundrun.run_id = left_over.run_id
"""


def leave(owner: Owner, its_id: int, limit: int) -> int:
    """Delete up to so many rows of an application that was deleted. Returns how many; none are of a runnable."""
    if owner != "application_id":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_LEAVE, {"id": its_id, "limit": limit})
        return int(cursor.rowcount)


BACKGROUND = Beside(end, forget, leave, apart=(KIND,))
