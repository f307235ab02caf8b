"""Values as PostgreSQL has them: the truth."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from badgerjobs.lib.storable import UNSTORABLE
from tasks.cache.freshness import Stored
from tasks.models.key import LONGEST_NAME

# A key whose value has no row yet was never filled.
_STORED = """
SELECT k.name, k.id, coalesce(v.etag, ''), v.fetched_at, v.changed_at, k.ttl_s, k.stale_while_revalidate_s,
    k.stale_if_error_s, v.tried_at, coalesce(v.error_class, ''), coalesce(v.error, ''), v.asked_at, {body}
FROM tasks_cachekey k LEFT JOIN tasks_cachedvalue v ON v.key_id = k.id
WHERE k.application_id = %(application)s AND k.name = ANY(%(names)s)
"""
_WHOLE = _STORED.format(body="v.body")

# In the order of the names: a body as long as they have no more bytes together, and the first in any case. The database
# does not even look for the others.
_UPTO = "sum(coalesce(v.bytes, 0)) OVER (ORDER BY array_position(%(names)s::text[], k.name::text))"
_FITS = f"({_UPTO} <= %(most)s OR {_UPTO} = coalesce(v.bytes, 0))"
_FIRST = _STORED.format(body=f"CASE WHEN {_FITS} THEN v.body END, {_FITS}")


def is_name(name: str) -> bool:
    """Whether a key can have this name: others need not be looked for, and the database could not be asked for some."""
    return 0 < len(name) <= LONGEST_NAME and not UNSTORABLE.search(name)


def stored(application_id: int, names: Sequence[str]) -> dict[str, Stored]:
    """Name → what stands under it, of one application, absent where there is no such key. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_WHOLE, {"application": application_id, "names": list(names)})
        return {row[0]: _read(row) for row in cursor.fetchall()}


def first_of(application_id: int, names: Sequence[str], most: int) -> tuple[dict[str, Stored], list[str]]:
    """The same of as many as have `most` bytes together, and of one at least; and the names that are left, in order."""
    with connection.cursor() as cursor:
        cursor.execute(_FIRST, {"application": application_id, "names": list(names), "most": most})
        found = cursor.fetchall()
    left = {row[0] for row in found if not row[-1]}
    at = next((at for at, name in enumerate(names) if name in left), len(names))
    return {row[0]: _read(row[:-1]) for row in found if row[-1]}, list(names[at:])


def _read(row: tuple[Any, ...]) -> Stored:
    _, key_id, etag, fetched_at, changed_at, ttl_s, revalidate_s, error_s, tried_at, error_class, error, *rest = row
    asked_at, body = rest
    return Stored(
        key_id,
        etag,
        _unix(fetched_at) or 0.0,
        _unix(changed_at) or 0.0,
        ttl_s,
        revalidate_s,
        error_s,
        _unix(tried_at) if error_class or error else None,
        error,
        _unix(asked_at),
        None if body is None else body.encode(),
    )


def _unix(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
