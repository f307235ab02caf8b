"""Whether anything is late: looked for by beats and workers alike, so that all of either may be gone, and it is seen.

Each process asks now and then for the lease of the watch; whoever gets it, because it has run out, looks once.
"""

import logging
import random
import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction

from badgerjobs.lib.time_limits import within
from badgerjobs.runs import incidents
from badgerjobs.runs.incidents import Opening
from badgerjobs.runs.models import Trouble
from badgerjobs.runs.ticks import tick_of

logger = logging.getLogger(__name__)

# Somebody looks so often, and each process asks so often (seconds) whether it should.
EVERY = "30 seconds"
ASKED_S = 10.0
# For all that a look asks of the database.
ANSWER_S = 20.0
# What is not late by so much is nobody's lateness: when nothing is, a look ends after a few probes.
LEAST_S = 10
# Late runs are counted up to here, and of those that wait for another attempt so many are looked at.
COUNTED = 1000
# Past the longest time for which a run is put off when its host has no room: what waits for longer was made for later.
PUT_OFF_MIN = 20

_TURN = f"""
INSERT INTO runs_leader (role, holder, expires_at)
VALUES ('watch', %(me)s, clock_timestamp() + interval '{EVERY}')
ON CONFLICT (role) DO UPDATE SET holder = %(me)s, expires_at = excluded.expires_at
WHERE runs_leader.expires_at < clock_timestamp()
RETURNING clock_timestamp()
"""  # noqa: S608

# Since when a run that has no attempt yet is due: it may have been put off, which moves `due_at` on. What somebody
# asked for in numbers takes turns by design, and is not late.
_FIRST_DUE = "CASE WHEN attempts > 0 THEN due_at ELSE least(due_at, created_at) END"
_UNASKED = "cause NOT IN ('replay', 'backfill')"
_PUT_OFF = f"""
    SELECT application_id, {_FIRST_DUE} AS due_at FROM runs_run
    WHERE state IN ('scheduled', 'retrying') AND due_at < %(now)s + interval '{PUT_OFF_MIN} min'
      AND state = 'scheduled' AND attempts = 0 AND {_UNASKED}"""  # noqa: S608

# What is due first, of each application that has something late:
# - `piles` steps through the queued runs, one probe for each application and priority among them;
# - runs that wait for another attempt are found by their time, those that were put off among what comes next;
# - runs that wait for the one before them: one probe for each runnable that has such;
# - applications are asked for their first planned occurrence when the first one of all is late, and not before.
_LATE = f"""
WITH RECURSIVE piles(queue, application_id, priority, due_at) AS (
    (SELECT queue, application_id, priority, due_at FROM runs_run WHERE state = 'queued' AND NOT held
     ORDER BY queue, application_id, priority, due_at LIMIT 1)
    UNION ALL
    SELECT n.* FROM piles p CROSS JOIN LATERAL (
        SELECT queue, application_id, priority, due_at FROM runs_run
        WHERE state = 'queued' AND NOT held
          AND (queue, application_id, priority) > (p.queue, p.application_id, p.priority)
        ORDER BY queue, application_id, priority, due_at LIMIT 1) n
), holding(runnable_id, application_id, due_at) AS (
    (SELECT runnable_id, application_id, {_FIRST_DUE} FROM runs_run WHERE held AND {_UNASKED}
     ORDER BY runnable_id, id LIMIT 1)
    UNION ALL
    SELECT n.* FROM holding h CROSS JOIN LATERAL (
        SELECT runnable_id, application_id, {_FIRST_DUE} FROM runs_run
        WHERE held AND {_UNASKED} AND runnable_id > h.runnable_id ORDER BY runnable_id, id LIMIT 1) n
), found AS (
    SELECT application_id, due_at FROM piles
    UNION ALL
    (SELECT application_id, due_at FROM runs_run
     WHERE state IN ('scheduled', 'retrying') AND due_at < %(now)s - interval '{LEAST_S} s'
     ORDER BY due_at LIMIT {COUNTED})
    UNION ALL
    SELECT application_id, min(due_at) FROM ({_PUT_OFF}) put_off GROUP BY application_id
    UNION ALL
    SELECT application_id, due_at FROM holding
    UNION ALL
    SELECT a.id, planned.next_run_at
    FROM workspaces_application a CROSS JOIN LATERAL (
        SELECT next_run_at FROM runs_runnable WHERE application_id = a.id AND next_run_at IS NOT NULL
        ORDER BY next_run_at LIMIT 1) planned
    WHERE (SELECT next_run_at FROM runs_runnable WHERE next_run_at IS NOT NULL ORDER BY next_run_at LIMIT 1)
          < %(now)s - interval '{LEAST_S} s'
)
SELECT a.id, min(found.due_at), a.late_after_s FROM found JOIN workspaces_application a ON a.id = found.application_id
WHERE found.due_at < %(now)s - a.late_after_s * interval '1 s' GROUP BY a.id ORDER BY a.id
"""  # noqa: S608

_KNOWN = "SELECT application_id FROM runs_incident WHERE trouble = 'late' AND runnable_id IS NULL AND closed_at IS NULL"

_COUNT = f"""
WITH given AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(befores)s::timestamptz[]) AS g(id, before)
), waiting AS (
    SELECT g.id, count(*) AS n
    FROM given g JOIN ({_PUT_OFF}
        UNION ALL
        SELECT application_id, {_FIRST_DUE} FROM runs_run WHERE held AND {_UNASKED}) w
    ON w.application_id = g.id AND w.due_at < g.before GROUP BY g.id
)
SELECT g.id, (SELECT count(*) FROM (
           SELECT FROM runs_run WHERE state = 'queued' AND NOT held AND queue IN ('io', 'compute')
             AND application_id = g.id AND due_at < g.before LIMIT {COUNTED + 1}) queued)
     + coalesce(waiting.n, 0),
       (SELECT count(*) FROM (
           SELECT FROM runs_runnable WHERE application_id = g.id AND next_run_at < g.before
           LIMIT {COUNTED + 1}) planned)
FROM given g LEFT JOIN waiting ON waiting.id = g.id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Late:
    """An application whose work is late: since when the oldest of it is due, and after how long it counts as late."""

    application_id: int
    oldest: datetime
    after: timedelta


def turn(me: UUID) -> datetime | None:
    """Take the watch, if nobody has looked for long enough. Returns the database's time then."""
    with connection.cursor() as cursor:
        cursor.execute(_TURN, {"me": me})
        row = cursor.fetchone()
    return row[0] if row else None


@transaction.atomic
def look(now: datetime) -> int:
    """Open an incident for each application whose work has become late, and close those of the others.

    Returns how many were opened and closed.
    """
    with connection.cursor() as cursor:
        # Nobody waits for it, and it must not hold up the process that it is made in.
        cursor.execute("SET LOCAL statement_timeout = '10s'")
        cursor.execute(_LATE, {"now": now})
        late = [Late(pk, oldest, timedelta(seconds=after_s)) for pk, oldest, after_s in cursor.fetchall()]
        cursor.execute(_KNOWN)
        known = {pk for (pk,) in cursor.fetchall()}
    new = [one for one in late if one.application_id not in known]
    over = known - {one.application_id for one in late}
    opened = _open(new, now) if new else 0
    if opened:
        logger.warning("the work of %d applications is late: the oldest was due at %s", opened, late_since(new))
    return opened + (incidents.close_of_applications(over, Trouble.LATE, now=now) if over else 0)


def late_since(late: Collection[Late]) -> str:
    """When the oldest of it was due, for the log."""
    return _said(min(one.oldest for one in late))


def _open(late: Collection[Late], now: datetime) -> int:
    counts = _count(late, now)
    openings = [
        Opening(one.application_id, None, Trouble.LATE, sentence(*counts.get(one.application_id, (1, 0)), one.oldest))
        for one in late
    ]
    return incidents.open_all(openings, now=now)


def _count(late: Collection[Late], now: datetime) -> dict[int, tuple[int, int]]:
    """Application → how many of its runs are late, and how many of its jobs, whose next run was not made."""
    values: dict[str, Any] = {
        "ids": [one.application_id for one in late],
        "befores": [now - one.after for one in late],
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        return {pk: (runs, jobs) for pk, runs, jobs in cursor.fetchall()}


def sentence(runs: int, jobs: int, oldest: datetime) -> str:
    """What an incident says: `12 runs are late. The oldest was due at 2026-03-02 12:00:00 UTC.`

    A job that is due and was not dispatched has no run yet, however many of its occurrences have passed.
    """
    said = [f"{_counted(max(runs, 1), 'run')} late."] if runs or not jobs else []
    if jobs:
        whose = "its" if jobs == 1 else "their"
        said.append(f"{_counted(jobs, 'job')} late: {whose} time came, and no run was made.")
    oldest_one = "The oldest" if runs + jobs > 1 else "It"
    return f"{' '.join(said)} {oldest_one} was due at {_said(oldest)}."


def _counted(count: int, word: str) -> str:
    if count == 1:
        return f"1 {word} is"
    return f"{f'More than {COUNTED:,}' if count > COUNTED else f'{count:,}'} {word}s are"


def _said(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


class Watch:
    """A thread of a beat or of a worker that takes its turn. It holds up nobody, and outlives every error."""

    def __init__(self) -> None:
        self._me = uuid4()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin, after a moment that differs from process to process."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """End, and wait so long for a look that is being made."""
        self._ended.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._ended.wait(ASKED_S * random.uniform(0.5, 1.0)):  # noqa: S311  no secret
            watch_once(self._me)
        connection.close()


def watch_once(me: UUID) -> bool:
    """Look if it is our turn, and have people told of what was found: beat, who usually does, may be what is gone."""
    try:
        with within(ANSWER_S):
            now = turn(me)
            if now is None:
                return False
            look(now)
            tick_of("tell")()
    except Exception:
        logger.warning("the watch could not look whether work is late; it is tried again", exc_info=True)
        connection.close()
        return False
    return True
