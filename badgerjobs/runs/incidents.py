"""What needs a person, as rows: opened when it is first seen, closed when it is over. Nobody is told of it here."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.models import Runnable, Trouble


@dataclass(frozen=True, slots=True)
class Opening:
    """A trouble that was seen, and the run that showed it. `runnable_id` None: it is the whole application's."""

    application_id: int
    runnable_id: int | None
    trouble: Trouble
    sentence: str
    run_id: UUID | None = None


_OPEN = """
INSERT INTO runs_incident (id, application_id, runnable_id, trouble, run, sentence, opened_at)
SELECT g.id, g.application_id, g.runnable_id, g.trouble, g.run, g.sentence, %(now)s
FROM unnest(%(ids)s::uuid[], %(applications)s::bigint[], %(runnables)s::bigint[], %(troubles)s::text[],
            %(runs)s::uuid[], %(sentences)s::text[])
    AS g(id, application_id, runnable_id, trouble, run, sentence)
ON CONFLICT DO NOTHING RETURNING id
"""


def open_all(openings: Sequence[Opening], *, now: datetime) -> int:
    """Open those that are not open already, in one statement. Returns how many that were."""
    values: dict[str, Any] = {
        "now": now,
        "ids": [uuid7() for _ in openings],
        "applications": [one.application_id for one in openings],
        "runnables": [one.runnable_id for one in openings],
        "troubles": [one.trouble.value for one in openings],
        "runs": [one.run_id for one in openings],
        "sentences": [one.sentence for one in openings],
    }
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, values)
        return int(cursor.rowcount)


def open_unplanned(faults: Mapping[int, str], *, now: datetime) -> int:
    """Open one for each of these runnables whose schedule cannot be computed, and say why. Returns how many."""
    owners = Runnable.objects.filter(pk__in=list(faults)).values_list("pk", "application_id")
    said = "It is planned no more: its schedule cannot be computed."
    openings = [
        Opening(application_id, runnable_id, Trouble.LATE, f"{said} {faults[runnable_id]}".strip())
        for runnable_id, application_id in owners
    ]
    return open_all(openings, now=now)


# One that somebody ended by hand is nothing to tell of: who did it knows.
_CLOSE = """
UPDATE runs_incident i SET closed_at = %(now)s, closing_told_at = CASE WHEN %(by_hand)s THEN %(now)s END
FROM unnest(%(runnables)s::bigint[], %(troubles)s::text[]) AS g(runnable_id, trouble)
WHERE i.runnable_id = g.runnable_id AND i.trouble = g.trouble AND i.closed_at IS NULL
"""


def close_all(ends: Iterable[tuple[int, Trouble]], *, now: datetime, by_hand: bool = False) -> int:
    """Close these troubles of these runnables, in one statement. Returns how many were open.

    `by_hand`: a person took care of it, so that there is nobody to tell.
    """
    ends = list(ends)
    values: dict[str, Any] = {
        "now": now,
        "by_hand": by_hand,
        "runnables": [runnable_id for runnable_id, _ in ends],
        "troubles": [trouble.value for _, trouble in ends],
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE, values)
        return int(cursor.rowcount)


def close(application_id: int, trouble: Trouble, *, now: datetime) -> bool:
    """Close a trouble of a whole application. Returns whether it was open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE runs_incident SET closed_at = %s"
            " WHERE application_id = %s AND runnable_id IS NULL AND trouble = %s AND closed_at IS NULL",
            [now, application_id, trouble.value],
        )
        return bool(cursor.rowcount)


def close_of_applications(application_ids: Collection[int], trouble: Trouble, *, now: datetime) -> int:
    """Close a trouble of these whole applications, in one statement. Returns how many were open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE runs_incident SET closed_at = %s"
            " WHERE application_id = ANY(%s) AND runnable_id IS NULL AND trouble = %s AND closed_at IS NULL",
            [now, list(application_ids), trouble.value],
        )
        return int(cursor.rowcount)


def delete_of(runnable_ids: Collection[int]) -> None:
    """Forget the incidents of runnables that are being deleted, after these: whoever opened one has committed then."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM runs_incident WHERE runnable_id = ANY(%s)", [list(runnable_ids)])


# What is open is kept, however old it is.
_FORGET = """
DELETE FROM runs_incident WHERE id IN (
    SELECT old.id
    FROM unnest(%(applications)s::bigint[], %(befores)s::uuid[], %(cutoffs)s::timestamptz[])
        AS kept (application_id, before, cutoff)
    CROSS JOIN LATERAL (
        SELECT id FROM runs_incident
        WHERE application_id = kept.application_id AND id < kept.before AND closed_at < kept.cutoff
        ORDER BY id LIMIT %(each)s FOR UPDATE SKIP LOCKED
    ) AS old)
"""


def forget(given: dict[str, Any]) -> None:
    """Delete those that were closed before the `cutoffs` of these `applications`, up to `each` of every one."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, given)
