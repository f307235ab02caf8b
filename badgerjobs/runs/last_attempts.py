"""The last attempts of many runnables at once, or of a whole application: one statement, however many they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from badgerjobs.workspaces.models import Application

# So many bytes of headers and bodies come at once: they are in the memory of a web process while it answers.
MOST_BYTES = 32_000_000


class TooMuchTextError(Exception):
    """The attempts that were asked for hold more headers and bodies than are given at once."""


@dataclass(frozen=True, slots=True)
class LastAttempt:
    """What came of one try of a call. `headers` is JSON text; it and `body` are None when they were not asked for."""

    runnable_id: int
    run_number: int
    started_at: datetime
    duration_ms: int
    ok: bool
    created_at: datetime
    status: int | None
    headers: str | None
    body: str | None


# Each loop walks as many rows as it gives, newest first, in both halves of the index: successes, and what failed.
_EACH = """
SELECT last.* FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS owner(id, place), LATERAL (
    SELECT * FROM (
        (SELECT * FROM runs_attempt WHERE runnable_id = owner.id AND application_id = %(application)s AND ok
         ORDER BY id DESC LIMIT %(reach)s)
        UNION ALL
        (SELECT * FROM runs_attempt WHERE runnable_id = owner.id AND application_id = %(application)s AND NOT ok
         ORDER BY id DESC LIMIT %(reach)s)
    ) half ORDER BY id DESC LIMIT %(limit)s OFFSET %(offset)s
) last ORDER BY owner.place, last.id DESC
"""

_OF_ALL = """
SELECT attempt.* FROM runs_attempt attempt JOIN runs_runnable owner ON owner.id = attempt.runnable_id
WHERE attempt.application_id = %(application)s AND owner.kind = ANY(%(kinds)s)
ORDER BY attempt.id DESC LIMIT %(limit)s OFFSET %(offset)s
"""

# Not every kind has one, and what another kind calls so need not be a number.
_STATUS = "CASE WHEN jsonb_typeof(result -> 'status') = 'number' THEN (result ->> 'status')::int END"

_PLAIN = """
SELECT runnable_id, run_number, started_at, duration_ms, ok, created_at, {status}, NULL, NULL, 0
FROM ({chosen}) found
"""

# What comes after too many bytes is left where it is: the sum tells.
_WITH_TEXTS = """
SELECT runnable_id, run_number, started_at, duration_ms, ok, created_at, {status},
    CASE WHEN bytes <= %(bytes)s THEN result ->> 'headers' END,
    CASE WHEN bytes <= %(bytes)s THEN result ->> 'body' END,
    bytes
FROM (
    SELECT found.*, sum(coalesce(octet_length(result ->> 'headers'), 0) + coalesce(octet_length(result ->> 'body'), 0))
        OVER (ROWS UNBOUNDED PRECEDING) AS bytes
    FROM ({chosen}) found
) summed
"""


def last_attempts_of(
    runnable_ids: Iterable[int], *, application: Application, limit: int, offset: int, with_texts: bool
) -> dict[int, list[LastAttempt]]:
    """Runnable → its last attempts, newest first; absent where there is none, and where it is another application's.

    Raises TooMuchTextError.
    """
    found: dict[int, list[LastAttempt]] = {}
    bounds = {"ids": list(runnable_ids), "limit": limit, "offset": offset, "reach": limit + offset}
    for row in _read(_EACH, {**bounds, "application": application.pk}, with_texts):
        found.setdefault(row.runnable_id, []).append(row)
    return found


def last_attempts(
    *, application: Application, kinds: Sequence[str], limit: int, offset: int, with_texts: bool
) -> list[LastAttempt]:
    """The last attempts of everything of these kinds that an application has, newest first. Raises TooMuchTextError."""
    bounds = {"application": application.pk, "kinds": list(kinds), "limit": limit, "offset": offset}
    return _read(_OF_ALL, bounds, with_texts)


def _read(chosen: str, values: dict[str, Any], with_texts: bool) -> list[LastAttempt]:
    statement = (_WITH_TEXTS if with_texts else _PLAIN).format(chosen=chosen, status=_STATUS)
    with connection.cursor() as cursor:
        cursor.execute(statement, {**values, "bytes": MOST_BYTES})
        rows = cursor.fetchall()
    if rows and max(row[-1] for row in rows) > MOST_BYTES:
        raise TooMuchTextError
    return [LastAttempt(*row[:-1]) for row in rows]
