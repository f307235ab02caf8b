"""How an application stands at this moment: one statement, over indexes that hold no finished run."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

# More than so many waiting runs are not counted one by one.
COUNTED = 10_000

# The index has the queued of a queue by priority, and those by when they were due: the first of each priority are few.
_LOOK = """
WITH RECURSIVE head AS (
    SELECT first.* FROM unnest(ARRAY['io', 'compute']) AS its(queue), LATERAL (
        SELECT queue, priority, due_at FROM runs_run
        WHERE state = 'queued' AND queue = its.queue AND application_id = %(application)s
        ORDER BY priority, due_at LIMIT 1) first
    UNION ALL
    SELECT next.* FROM head, LATERAL (
        SELECT queue, priority, due_at FROM runs_run
        WHERE state = 'queued' AND queue = head.queue AND application_id = %(application)s AND priority > head.priority
        ORDER BY priority, due_at LIMIT 1) next
)
SELECT EXISTS (SELECT FROM runs_runnable WHERE application_id = %(application)s),
       (SELECT count(*) FROM runs_run WHERE state = 'running' AND application_id = %(application)s),
       EXISTS (SELECT FROM workspaces_token WHERE application_id = %(application)s AND revoked_at IS NULL
               AND expires_at BETWEEN %(now)s - interval '8 days' AND %(now)s + interval '8 days'),
       EXISTS (SELECT FROM runs_incident
               WHERE closed_at IS NULL AND trouble = 'paused' AND application_id = %(application)s),
       EXISTS (SELECT FROM runs_incident WHERE application_id = %(application)s AND overdue > 0),
       EXISTS (SELECT FROM collections_collection c
               JOIN collections_version v ON v.collection_id = c.id AND v.number IS NULL AND v.stage = 'held'
               WHERE c.application_id = %(application)s),
       queued.count, (SELECT min(due_at) FROM head),
       (SELECT min(next_run_at) FROM runs_runnable
        WHERE application_id = %(application)s AND next_run_at IS NOT NULL)
FROM (SELECT count(*) FROM (
    SELECT FROM runs_run
    WHERE state = 'queued' AND NOT held AND queue IN ('io', 'compute') AND application_id = %(application)s
    LIMIT %(counted)s) waiting) queued
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """How things stand.

    `has_ending_tokens`: some end within a week or so, or have ended. `has_paused`: the engine paused something.
    `had_outage`: for a while nothing was dispatched, as far back as incidents are kept. `has_held_results`: a guard
    holds what a run brought for a collection.
    `queued_since` is when the first of the queued runs was due, `planned_for` when the next occurrence is.
    """

    has_runnables: bool
    running: int
    has_ending_tokens: bool
    has_paused: bool
    had_outage: bool
    has_held_results: bool
    queued: int
    queued_since: datetime | None
    planned_for: datetime | None

    @property
    def counts_all(self) -> bool:
        """Whether `queued` is all of them, and not only where counting ended."""
        return self.queued < COUNTED

    def undispatched(self, now: datetime) -> timedelta:
        """For how long the first planned occurrence has been waiting to be queued; zero when none is late."""
        return max(timedelta(0), now - self.planned_for) if self.planned_for else timedelta(0)

    def untaken(self, now: datetime) -> timedelta:
        """For how long the first queued run has been waiting for a slot; zero when none waits."""
        return max(timedelta(0), now - self.queued_since) if self.queued_since else timedelta(0)

    def oldest_due_ms(self, now: datetime) -> float | None:
        """How long what is due first has been waiting, in milliseconds; None when nothing waits."""
        longest = max(self.undispatched(now), self.untaken(now))
        return longest / timedelta(milliseconds=1) if longest else None


def look(application_id: int, now: datetime) -> Moment:
    """Ask once."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, {"application": application_id, "counted": COUNTED, "now": now})
        return Moment(*cursor.fetchone())
