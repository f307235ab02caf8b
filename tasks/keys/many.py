"""What can be done with many cache keys at once: so many statements for a thousand of them, whichever these are."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from rest_framework import serializers

from badgerjobs.lib import words
from badgerjobs.sources.models import DataSource
from badgerjobs.web.serializers import MOST_ERRORS
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from tasks.keys.services import SOURCE_GONE, empty, forget, hold_sources, remove
from tasks.keys.variables import is_same, misfit_of
from tasks.models import CacheKey

# So many at the most by one request, and so many by one statement.
MOST = 10_000
BATCH = 1_000
# So many names are told in the audit log.
NAMED = 20


class Upserted(NamedTuple):
    """How many keys were made, how many changed, and how many were so already."""

    created: int
    updated: int
    unchanged: int


class _Written(NamedTuple):
    """A key that was made or changed, and the row that it is now."""

    pk: int
    row: Mapping[str, Any]
    is_new: bool


@transaction.atomic
def upsert_keys(
    *, application: Application, items: Sequence[Mapping[str, Any]], by: audit.Actor, now: datetime
) -> Upserted:
    """Make each of these keys, or change the one that is there: all of them, or none.

    An item has a name, which no other has, and checked FIELDS of a key, `source` being a row; what it leaves out takes
    its default. Raises ValidationError, `keys` → place → what is wrong there.
    """
    _wait_for_others(application)
    sources = hold_sources(list({item["source"].pk for item in items}))
    _ensure_fit(items, sources)
    # Those that are there are held by their ids, as whoever deletes many holds them, and the others are made in the
    # order of their names: of two at once, neither waits for one that waits for it.
    rows = sorted((_row(item) for item in items), key=lambda row: str(row["name"]))
    before = _held(application, [row["name"] for row in rows])
    made: list[str] = []
    changed: list[str] = []
    other: list[int] = []
    for start in range(0, len(rows), BATCH):
        for one in _written(application, rows[start : start + BATCH], now):
            (made if one.is_new else changed).append(one.row["name"])
            if not one.is_new and _asks_for_other(before.get(one.pk), one.row):
                other.append(one.pk)
    if other:
        empty(other)
    if made or changed:
        _record_upsert(application, made, changed, by=by, now=now)
        forget(application, made + changed)
    return Upserted(len(made), len(changed), len(rows) - len(made) - len(changed))


@transaction.atomic
def delete_keys(*, application: Application, ids: Sequence[int], by: audit.Actor, now: datetime) -> int:
    """Delete them with their values. Returns how many were there."""
    keys = CacheKey.objects.for_application(application)
    names = remove(list(keys.filter(pk__in=ids).values_list("pk", flat=True)))
    if names:
        changes = {"names": [None, some(names)]}
        _record(application, "cachekey.delete_many", len(names), changes, by=by, now=now)
        forget(application, names)
    return len(names)


def _ensure_fit(items: Sequence[Mapping[str, Any]], sources: Mapping[int, DataSource]) -> None:
    """Raises ValidationError for items whose source is gone, or asks for other values."""
    errors: dict[Any, Any] = {}
    for place, item in enumerate(items):
        source = sources.get(item["source"].pk)
        if source is None:
            errors[place] = {"source": [SOURCE_GONE]}
        elif misfit := misfit_of(source, item.get("variables", {})):
            errors[place] = {"variables": [misfit]}
        if len(errors) == MOST_ERRORS:
            break
    if errors:
        raise serializers.ValidationError({"keys": errors})


def _row(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": item["name"],
        "source_id": item["source"].pk,
        "variables": item.get("variables", {}),
        "tags": item.get("tags", []),
        **{name: item.get(name) for name in ("ttl_s", "stale_while_revalidate_s", "stale_if_error_s")},
    }


# Spells “keys”.
LOCK = 0x6B657973


def _wait_for_others(application: Application) -> None:
    """One upsert of an application at a time.

    A key that is new to one of two may be there for the other: ids and then names would not be one order for both.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, application.pk % 2**31])


_HELD = """
SELECT id, source_id, variables FROM tasks_cachekey WHERE application_id = %s AND name = ANY(%s)
ORDER BY id FOR UPDATE
"""


def _held(application: Application, names: Sequence[str]) -> dict[int, tuple[int, Any]]:
    """Hold those of these keys that are there, until this is committed: id → what its value was fetched for."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [application.pk, list(names)])
        # Django hands jsonb over as text when the query is written by hand.
        return {pk: (source_id, json.loads(variables)) for pk, source_id, variables in cursor.fetchall()}


# Made and changed in one statement, whoever else is about it; a row that is as it is to be is not touched. A new key
# gets the row of its value, which is empty.
_UPSERT = """
WITH given AS (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS item (
        name text, source_id bigint, variables jsonb, tags text[], ttl_s int,
        stale_while_revalidate_s int, stale_if_error_s int
    )
), written AS (
    INSERT INTO tasks_cachekey AS key (
        application_id, name, source_id, variables, tags, ttl_s, stale_while_revalidate_s, stale_if_error_s,
        created_at, updated_at
    )
    SELECT %(application)s, name, source_id, variables, tags, ttl_s, stale_while_revalidate_s, stale_if_error_s,
        %(now)s, %(now)s
    FROM given ORDER BY name
    ON CONFLICT (application_id, name) DO UPDATE SET
        source_id = excluded.source_id, variables = excluded.variables, tags = excluded.tags, ttl_s = excluded.ttl_s,
        stale_while_revalidate_s = excluded.stale_while_revalidate_s, stale_if_error_s = excluded.stale_if_error_s,
        updated_at = excluded.updated_at
    WHERE (key.source_id, key.variables, key.tags, key.ttl_s, key.stale_while_revalidate_s, key.stale_if_error_s)
        IS DISTINCT FROM (excluded.source_id, excluded.variables, excluded.tags, excluded.ttl_s,
            excluded.stale_while_revalidate_s, excluded.stale_if_error_s)
    RETURNING id, name, xmax = 0 AS made
), filled AS (
    INSERT INTO tasks_cachedvalue (key_id, bytes, etag, error_class, error)
    SELECT id, 0, '', '', '' FROM written WHERE made
)
SELECT id, name, made FROM written
"""


def _written(application: Application, rows: Sequence[Mapping[str, Any]], now: datetime) -> Iterator[_Written]:
    """The keys of a batch that were not so yet."""
    by_name = {row["name"]: row for row in rows}
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, {"rows": json.dumps(rows), "application": application.pk, "now": now})
        return (_Written(pk, by_name[name], is_new) for pk, name, is_new in cursor.fetchall())


def _asks_for_other(before: tuple[int, Any] | None, row: Mapping[str, Any]) -> bool:
    """Whether the value that is stored was fetched from elsewhere, or for something else.

    `before` is None for a key that somebody made between the two statements.
    """
    if before is None:
        return True
    source_id, variables = before
    return source_id != row["source_id"] or not is_same(variables, row["variables"])


def _record_upsert(application: Application, made: Sequence[str], changed: Sequence[str], **entry: Any) -> None:
    said = {"created": made, "updated": changed}
    counts = {called: [None, len(names)] for called, names in said.items() if names}
    named = {f"names {called}": [None, some(names)] for called, names in said.items() if names}
    _record(application, "cachekey.upsert", len(made) + len(changed), {**counts, **named}, **entry)


def _record(application: Application, action: str, count: int, changes: Mapping[str, Any], **entry: Any) -> None:
    """`entry`: who did it, and when."""
    audit.record(
        action=action,
        subject=words.counted(count, "cache key"),
        application=application,
        changes=dict(changes),
        **entry,
    )


def some(names: Sequence[str]) -> list[str]:
    """One entry of the log tells of all; of their names, the first."""
    more = len(names) - NAMED
    return [*(name[:200] for name in sorted(names)[:NAMED]), *([f"and {more:,} more"] if more > 0 else [])]
