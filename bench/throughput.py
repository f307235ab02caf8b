"""How many runs a second are recorded when many jobs are due at once: from due to the last result stored."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from badgerjobs.runs import dispatch, fleet
from bench import processor
from bench.stack import Receiver, Stack, wait_until

# Between writing the due time and its coming.
AHEAD = timedelta(seconds=1.5)
GIVE_UP_S = 300

_PLAN = """
UPDATE runs_runnable SET enabled = true, run_at = %(due)s, next_run_at = %(due)s WHERE name LIKE %(names)s || '-%%'
"""

# Each part is answered by a partial index that holds little else.
_IS_DONE = """
SELECT NOT EXISTS (SELECT FROM runs_runnable WHERE next_run_at <= %(due)s)
   AND NOT EXISTS (SELECT FROM runs_run WHERE state = 'queued' AND NOT held AND queue = 'io')
   AND NOT EXISTS (SELECT FROM runs_run WHERE state = 'running')
"""

_COUNT = """
SELECT count(*), count(DISTINCT r.runnable_id), count(*) FILTER (WHERE r.state = 'succeeded' AND r.attempts = 1)
FROM runs_run r JOIN runs_runnable j ON j.id = r.runnable_id
WHERE r.occurrence = %(due)s AND j.name LIKE %(names)s || '-%%'
"""


@dataclass(frozen=True)
class Round:
    """One pile of due jobs: how long it took, in seconds, and the processor time of each kind of process."""

    runs: int
    seconds: float
    processor: dict[str, float]

    @property
    def per_second(self) -> float:
        return self.runs / self.seconds

    @property
    def micros_per_run(self) -> dict[str, int]:
        """Processor time for a run, by kind of process, in µs."""
        return {name: round(seconds / self.runs * 1e6) for name, seconds in self.processor.items()}


def measure(*, names: str, jobs: int, stack: Stack, receiver: Receiver) -> Round:
    """Let all jobs called `names`-… be due at once, and wait until each has its one result. Raises RuntimeError."""
    receiver.arrivals()
    pids = stack.pids | {"receiver": receiver.pid}
    due = _plan(names)
    time.sleep(max(0.0, (due - fleet.database_now()).total_seconds()))
    before = processor.used(pids)
    wait_until(lambda: _ask(_IS_DONE, due=due) == (True,), seconds=GIVE_UP_S, what=f"{jobs} runs", every=0.02)
    seconds = (fleet.database_now() - due).total_seconds()
    after = processor.used(pids)
    _check(names, due, jobs, receiver)
    return Round(jobs, seconds, {kind: after[kind] - before[kind] for kind in after})


def _plan(names: str) -> datetime:
    due = fleet.database_now() + AHEAD
    with connection.cursor() as cursor:
        cursor.execute(_PLAN, {"due": due, "names": names})
        cursor.execute("SELECT pg_notify(%s, '')", [dispatch.CHANNEL])
    return due


def _ask(sql: str, **values: Any) -> tuple[object, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row: tuple[object, ...] = cursor.fetchone()
    return row


def _check(names: str, due: datetime, jobs: int, receiver: Receiver) -> None:
    """Every job has one run, it succeeded at the first attempt, and its call came once."""
    found = _ask(_COUNT, due=due, names=names)
    calls = receiver.arrivals()
    if found != (jobs, jobs, jobs) or len(calls) != jobs or any(len(times) != 1 for times in calls.values()):
        raise RuntimeError(f"{jobs} jobs made {found} runs, runnables and successes, and {len(calls)} calls")
