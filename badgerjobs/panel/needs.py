"""What needs a person now: jobs that failed for good or were paused for it, work nobody took, results, tokens."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.panel.kinds import KINDS
from badgerjobs.panel.moment import Moment
from badgerjobs.panel.paused import PausedJob, paused
from badgerjobs.runs.health import WORST_LAG
from badgerjobs.runs.models import Incident
from badgerjobs.workspaces.models import Application, Token
from slurps.models import Collection, Stage, Version

# How far back a failure still is a matter of now, and how many failed runs are looked at for it.
RECENT = timedelta(days=7)
LOOKED_AT = 5000
# How many failing jobs are listed; of what is more, that there is more.
LISTED = 10
# A run that has been due for so long is not taken.
TAKEN_WITHIN = timedelta(seconds=30)
# An outage is told of for so long after it was over.
AFTER_OUTAGE = timedelta(days=1)
# A token is told of so long before it ends; and so long after, when it was in use to the last.
BEFORE_END = timedelta(days=7)
IN_USE = timedelta(days=1)

# The jobs of the newest failed runs; of each its last run that is over, which may be a later one that is well.
_FAILED = """
WITH newest AS (
    SELECT runnable_id FROM runs_run WHERE application_id = %(application)s AND state = 'failed' AND id >= %(since)s
    ORDER BY id DESC LIMIT %(looked_at)s)
SELECT r.kind, r.name, coalesce(job.name, task.name, slurp.name, hook.name, r.name), over.id, over.number, over.error,
       over.attempts, over.finished_at,
       last.state NOT IN ('succeeded', 'failed', 'aborted', 'skipped')
FROM (SELECT DISTINCT runnable_id AS id FROM newest) failing
JOIN runs_runnable r ON r.id = failing.id LEFT JOIN jobs_job job ON job.runnable_id = r.id
LEFT JOIN tasks_task task ON task.runnable_id = r.id LEFT JOIN webhooks_hook hook ON hook.runnable_id = r.id
LEFT JOIN collections_asyncjob slurp ON slurp.runnable_id = r.id,
LATERAL (SELECT id, number, left(error, 300) AS error, attempts, finished_at, state FROM runs_run
         WHERE runnable_id = r.id AND state IN ('succeeded', 'failed', 'aborted') ORDER BY id DESC LIMIT 1) over,
LATERAL (SELECT state FROM runs_run WHERE runnable_id = r.id ORDER BY id DESC LIMIT 1) last
WHERE over.state = 'failed' ORDER BY over.finished_at DESC LIMIT %(listed)s
"""


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job, or the like, whose last run failed for good. `again` when a run of it is waiting or running already.

    `title` is what people call it, `name` what its address does.
    """

    kind: str
    name: str
    title: str
    run: UUID
    number: int
    error: str
    attempts: int
    since: datetime
    again: bool

    @property
    def page(self) -> str:
        """What names its page."""
        return KINDS[self.kind].page


@dataclass(frozen=True, slots=True)
class Stuck:
    """Work that is due and goes nowhere: `queued` runs that no worker takes, or (None) occurrences not queued yet."""

    since: datetime
    queued: int | None
    counts_all: bool = True


@dataclass(frozen=True, slots=True)
class Needs:
    """All of it, in the order of how bad it is."""

    stuck: list[Stuck]
    outages: list[Incident]
    paused: list[PausedJob]
    failed: list[FailedJob]
    more_failed: bool
    held: list[Version]
    tokens: list[Token]

    @property
    def count(self) -> int:
        found = len(self.stuck) + len(self.outages) + len(self.paused) + len(self.failed)
        return found + len(self.held) + len(self.tokens)


def needs(application: Application, moment: Moment, now: datetime) -> Needs:
    """Look for it: one statement, and one more each after an outage, and where there are any of the others."""
    missed = _outages(application, now) if moment.had_outage else []
    stopped = paused(application, LISTED) if moment.has_paused else []
    failed = _failed(application, now)
    told = {(job.kind, job.name) for job in stopped}
    listed = [job for job in failed[:LISTED] if (job.kind, job.name) not in told]
    tokens = _ending(application, now) if moment.has_ending_tokens else []
    held = _held(application) if moment.has_held_results else []
    return Needs(list(_stuck(moment, now)), missed, stopped, listed, len(failed) > LISTED, held, tokens)


def _outages(application: Application, now: datetime) -> list[Incident]:
    """Those that are not over, or have been for less than a day."""
    lately = Q(closed_at=None) | Q(closed_at__gt=now - AFTER_OUTAGE)
    found = Incident.objects.for_application(application).filter(lately, overdue__gt=0)
    return list(found.order_by("-id")[:LISTED])


def _failed(application: Application, now: datetime) -> list[FailedJob]:
    values: dict[str, Any] = {
        "application": application.pk,
        "since": uuid7_floor(now - RECENT),
        "looked_at": LOOKED_AT,
        "listed": LISTED + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FAILED, values)
        return [FailedJob(*row) for row in cursor.fetchall()]


def _stuck(moment: Moment, now: datetime) -> Iterable[Stuck]:
    if moment.planned_for and moment.undispatched(now) > WORST_LAG:
        yield Stuck(moment.planned_for, None)
    if moment.queued_since and moment.untaken(now) > TAKEN_WITHIN:
        yield Stuck(moment.queued_since, moment.queued, moment.counts_all)


def _held(application: Application) -> list[Version]:
    """Results that wait for approval, the newest first."""
    found = Version.objects.for_application(application).filter(
        collection__in=Collection.objects.for_application(application), number=None, stage=Stage.HELD
    )
    return list(found.select_related("collection").defer("columns", "known", "remembered").order_by("-pk")[:LISTED])


def _ending(application: Application, now: datetime) -> list[Token]:
    """Tokens that end soon, or that ended while they were in use; unless one of the same label takes their place."""
    later = Token.objects.usable(now).filter(
        Q(expires_at=None) | Q(expires_at__gt=now + BEFORE_END), application=application, label=OuterRef("label")
    )
    soon = Q(expires_at__gt=now, expires_at__lte=now + BEFORE_END)
    was_in_use = Q(last_used_at__gte=F("expires_at") - IN_USE)
    missed = Q(expires_at__gt=now - BEFORE_END, expires_at__lte=now) & was_in_use
    found = Token.objects.for_application(application).filter(soon | missed, ~Exists(later), revoked_at=None)
    return list(found.order_by("expires_at")[:LISTED])
