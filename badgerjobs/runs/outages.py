"""What came while nothing was dispatched: while all processes were gone nobody could see that it was late.

The first tick after it does, and opens an incident for each application that wants to be told. Where one is open
already, because others saw that work was late, it says from then on what came of it. The watch closes it, when nothing
is late any more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.models import SkipReason, Trouble
from badgerjobs.runs.planning import ON_TIME, Due, Plan

# No application is told of less: when all is in time, nothing is asked of the database.
LEAST = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Overdue:
    """A runnable whose first occurrence was due at `since`: so many were skipped as missed, so many are run."""

    runnable_id: int
    since: datetime
    missed: int
    runs: int


@dataclass(frozen=True, slots=True)
class Outage:
    """The same of all jobs of an application. `has_more`: more of it is dispatched by the ticks after this one."""

    jobs: int
    missed: int
    runs: int
    since: datetime
    until: datetime
    has_more: bool = False


def overdue_of(due: Iterable[Due], plans: Iterable[Plan], now: datetime) -> list[Overdue]:
    """Those that were planned much too late."""
    late = now - LEAST
    found = [
        Overdue(plan.runnable_id, one.occurrence + one.offset, _missed(plan), len(plan.runs))
        for one, plan in zip(due, plans, strict=True)
        if one.occurrence + one.offset < late
    ]
    return [one for one in found if one.missed or one.runs]


def _missed(plan: Plan) -> int:
    return sum(skip.count for skip in plan.skips if skip.reason == SkipReason.MISSED)


# Where all of them were let go, a minute is enough: what is due for so long may not be run any more.
_OF_APPLICATIONS = """
SELECT a.id, count(*), sum(g.missed)::bigint, sum(g.runs)::bigint, min(g.since)
FROM unnest(%(ids)s::bigint[], %(sinces)s::timestamptz[], %(missed)s::bigint[], %(runs)s::bigint[])
    AS g(id, since, missed, runs)
JOIN runs_runnable r ON r.id = g.id JOIN workspaces_application a ON a.id = r.application_id
WHERE g.since < %(now)s - interval '1 s' *
      CASE WHEN g.runs > 0 OR a.late_after_s IS NULL THEN a.late_after_s ELSE least(a.late_after_s, %(at_most)s) END
GROUP BY a.id ORDER BY a.id
"""

_OPEN = """
INSERT INTO runs_incident (id, application_id, trouble, sentence, overdue, opened_at)
SELECT g.id, g.application_id, %(trouble)s, g.sentence, g.overdue, %(now)s
FROM unnest(%(ids)s::uuid[], %(applications)s::bigint[], %(sentences)s::text[], %(overdue)s::bigint[])
    AS g(id, application_id, sentence, overdue)
ON CONFLICT (application_id, trouble) WHERE closed_at IS NULL AND runnable_id IS NULL DO UPDATE SET
    sentence = CASE WHEN runs_incident.overdue = 0 THEN excluded.sentence ELSE runs_incident.sentence END,
    overdue = runs_incident.overdue + excluded.overdue
"""


def record(overdue: Sequence[Overdue], *, has_more: bool, now: datetime) -> None:
    """Open an incident for each application of these whose work is late by now, as it says what late is."""
    if not overdue:
        return
    values: dict[str, Any] = {
        "now": now,
        "at_most": ON_TIME.total_seconds(),
        "ids": [one.runnable_id for one in overdue],
        "sinces": [one.since for one in overdue],
        "missed": [one.missed for one in overdue],
        "runs": [one.runs for one in overdue],
    }
    with connection.cursor() as cursor:
        cursor.execute(_OF_APPLICATIONS, values)
        found = {pk: Outage(jobs, missed, runs, since, now, has_more)
                 for pk, jobs, missed, runs, since in cursor.fetchall()}  # fmt: skip
        if found:
            cursor.execute(_OPEN, _opened(found, now))


def _opened(found: dict[int, Outage], now: datetime) -> dict[str, Any]:
    return {
        "now": now,
        "trouble": Trouble.LATE.value,
        "ids": [uuid7() for _ in found],
        "applications": list(found),
        "sentences": [sentence(one) for one in found.values()],
        "overdue": [one.missed + one.runs for one in found.values()],
    }


def sentence(outage: Outage) -> str:
    """Say how many came, of how many jobs, from when to when, and what was done about them."""
    count = outage.missed + outage.runs
    of_jobs = f"{count:,} occurrence{_s(count)} of {outage.jobs:,} job{_s(outage.jobs)}"
    more = " More of them follow." if outage.has_more else ""
    return f"Nothing was dispatched for a while: {of_jobs} came {_span(outage)}. {_done(outage)}{more}"


def _done(outage: Outage) -> str:
    missed, runs = outage.missed, outage.runs
    if not runs:
        return "It was skipped as missed." if missed == 1 else "They were skipped as missed, and none was run."
    if not missed:
        return "It was then run." if runs == 1 else "All of them were then run."
    return f"{missed:,} {_were(missed)} skipped as missed, {runs:,} {_were(runs)} then run."


def _span(outage: Outage) -> str:
    first, last = outage.since.astimezone(UTC), outage.until.astimezone(UTC)
    day = "" if first.date() == last.date() else f"{last:%Y-%m-%d} "
    return f"from {first:%Y-%m-%d %H:%M:%S} to {day}{last:%H:%M:%S} UTC"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
