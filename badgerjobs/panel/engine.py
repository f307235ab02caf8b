"""What an application's page of the engine shows: what waits, and what each process does now.

Processes serve every application of the installation. Of what they do for others nothing is told, not even how much.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import connection

from badgerjobs.panel import moment
from badgerjobs.panel.health_line import SECONDS
from badgerjobs.panel.moment import COUNTED
from badgerjobs.runs import fleet, health
from badgerjobs.web import remembering
from badgerjobs.workspaces.models import Application

# So many processes are shown of each kind, those that were seen last.
MOST = 100
# A process that says something each second, and has not for so long, is silent.
SILENT = timedelta(seconds=5)

_MS = timedelta(milliseconds=1)

_PROCESSES = """
(SELECT 'beat' AS role, b.id, b.name, b.started_at, b.seen_at, l.holder IS NOT NULL AS leads
 FROM runs_beat b LEFT JOIN runs_leader l ON l.holder = b.id AND l.role = 'system ticks' AND l.expires_at > now()
 ORDER BY b.seen_at DESC LIMIT %(most)s)
UNION ALL
(SELECT 'worker', id, name, started_at, seen_at, false FROM runs_worker ORDER BY seen_at DESC LIMIT %(most)s)
"""

# Over the index of what runs, which holds nothing else.
_IN_HAND = """
SELECT r.worker, count(*), (array_agg(r.id ORDER BY r.started_at, r.id))[1],
       (array_agg(o.name ORDER BY r.started_at, r.id))[1], min(r.started_at)
FROM runs_run r LEFT JOIN runs_runnable o ON o.id = r.runnable_id
WHERE r.state = 'running' AND r.application_id = %(application)s GROUP BY r.worker
"""

_WAITING = """
SELECT (SELECT count(*) FROM (SELECT FROM runs_run r JOIN runs_runnable o ON o.id = r.runnable_id
        WHERE r.held AND o.application_id = %(application)s LIMIT %(counted)s) held),
       (SELECT count(*) FROM (SELECT FROM runs_run WHERE state = 'retrying' AND application_id = %(application)s
        LIMIT %(counted)s) retrying),
       (SELECT count(*) FROM (SELECT FROM runs_run WHERE state = 'scheduled' AND application_id = %(application)s
        LIMIT %(counted)s) scheduled)
"""


@dataclass(frozen=True, slots=True)
class InHand:
    """What a worker has of this application: how many runs, and the one that has run for the longest."""

    count: int
    longest: UUID
    of: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Process:
    """A beat or a worker, as it last said of itself."""

    role: str
    name: str
    started_at: datetime
    seen_at: datetime
    leads: bool
    in_hand: InHand | None
    state: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of its runs wait beside the queue, counted no further than COUNTED."""

    held: int
    retrying: int
    scheduled: int


class EnginePage:
    """How the engine stands, for one application. Each part is looked up when it is shown."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.counted = COUNTED

    @cached_property
    def now(self) -> datetime:
        """The database's time: processes write it, too."""
        return fleet.database_now()

    @cached_property
    def moment(self) -> moment.Moment:
        return moment.look(self.application.pk, self.now)

    @property
    def oldest_due_ms(self) -> float | None:
        return self.moment.oldest_due_ms(self.now)

    @cached_property
    def lag_ms(self) -> float:
        """How late dispatch is, for the whole installation: of the same look as the line at the foot of the side."""
        found: dict[str, Any] = remembering.shared(
            "health", SECONDS, lambda: health.as_dict(health.health()), self.now.timestamp()
        )
        return float(found["dispatcher_lag_ms"] or 0)

    @cached_property
    def waiting(self) -> Waiting:
        values = {"application": self.application.pk, "counted": COUNTED}
        with connection.cursor() as cursor:
            cursor.execute(_WAITING, values)
            return Waiting(*cursor.fetchone())

    @cached_property
    def _processes(self) -> list[Process]:
        with connection.cursor() as cursor:
            cursor.execute(_PROCESSES, {"most": MOST})
            rows = cursor.fetchall()
            cursor.execute(_IN_HAND, {"application": self.application.pk})
            hands = {worker: InHand(*rest) for worker, *rest in cursor.fetchall()}
        return sorted((self._process(row, hands) for row in rows), key=lambda one: (one.state == "gone", one.name))

    def _process(self, row: Sequence[Any], hands: dict[UUID, InHand]) -> Process:
        role, pk, name, started_at, seen_at, leads = row
        unseen = self.now - seen_at
        state = "gone" if unseen >= fleet.LEASE else "silent" if unseen >= SILENT else "alive"
        return Process(role, name, started_at, seen_at, leads, hands.get(pk), state)

    @property
    def beats(self) -> list[Process]:
        return [one for one in self._processes if one.role == "beat"]

    @property
    def workers(self) -> list[Process]:
        return [one for one in self._processes if one.role == "worker"]

    @property
    def beats_alive(self) -> int:
        return sum(one.state != "gone" for one in self.beats)

    @property
    def workers_alive(self) -> int:
        return sum(one.state != "gone" for one in self.workers)
