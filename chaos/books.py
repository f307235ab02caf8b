"""What the database says at the end, and what it said meanwhile: plain rows, so that the checks need no database."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import Error, connection

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs import fleet
from slurps.models import Version
from slurps.storing.reading import rows_of


@dataclass(frozen=True, slots=True)
class Run:
    """A run as its row has it. `job` is `TENANT/TAG`, and `tenant` the application that owns the row.

    Of all but background tasks the `iteration` is the first.
    """

    id: str
    tenant: str
    job: str
    cause: str
    occurrence: datetime | None
    number: int
    state: str
    held: bool
    attempts: int
    iteration: int
    error: str
    skip_reason: str
    skipped_until: datetime | None
    skipped_count: int | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def is_skipped(self) -> bool:
        return self.state == "skipped"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try as its row has it; `status` is that of the answer, None where none came."""

    run: str
    tenant: str
    number: int
    ok: bool
    started_at: datetime
    status: int | None


@dataclass(frozen=True, slots=True)
class Counters:
    """What a runnable counts of itself."""

    job: str
    runs_made: int
    scheduled_runs: int
    failures_in_row: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A call of a hook as its row has it. `hook` is `TENANT/TAG`; `state` that of its newest run, empty without one."""

    id: str
    hook: str
    standing: str
    duplicate_of: str
    state: str


@dataclass(frozen=True, slots=True)
class Act:
    """What was done with a delivery; `caused` is the run that it made, empty where it made none."""

    delivery: str
    state: str
    caused: str


@dataclass(frozen=True, slots=True)
class Task:
    """A background task as its rows have it. `state` is that of its run, empty where that is missing.

    `parent` is the task that triggered it, empty where somebody asked for it; `has_place` tells whether it counts among
    those that are under way, or waits for a place.
    """

    id: str
    tenant: str
    definition: str
    parent: str
    state: str
    iteration: int
    attempts: int
    error: str
    finished_at: datetime | None
    has_place: bool
    input: Mapping[str, Any]
    output: Mapping[str, Any]

    @property
    def number(self) -> int:
        """That of the order that it comes of; 0: of none."""
        return int(self.input.get("number", 0))


@dataclass(frozen=True, slots=True)
class Line:
    """What the log of a task says of one of its iterations."""

    iteration: int
    message: str


# Rows of a collection in their order: the id of each, and the run that made it.
Rows = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Load:
    """A run of an async job. `collection` is `TENANT/NAME`; `version`: which it says that it made, 0 for none."""

    run: str
    collection: str
    state: str
    version: int
    error: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A collection as its rows have it. `versions` are those that can be read, each with all of its rows.

    `unready` counts versions that nobody can read, `strays` rows that are in none.
    """

    name: str
    mode: str
    keep: int
    numbered: int
    unready: int
    strays: int
    versions: Mapping[int, Rows]


@dataclass
class Books:
    """Everything of the jobs that are still there. `handed_back` are the moments at which a run was taken back."""

    runs: list[Run] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    counters: list[Counters] = field(default_factory=list)
    handed_back: dict[str, list[float]] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    logs: dict[str, list[Line]] = field(default_factory=dict)  # of tasks
    loads: list[Load] = field(default_factory=list)
    collections: list[Filled] = field(default_factory=list)

    def by_job(self) -> dict[str, list[Run]]:
        """The runs of each job."""
        found: dict[str, list[Run]] = {}
        for run in self.runs:
            found.setdefault(run.job, []).append(run)
        return found


_RUNS = """
SELECT r.id::text, a.name, coalesce(owner.name || '/' || o.name, a.name || '/'), r.cause, r.occurrence, r.number,
       r.state, r.held, r.attempts, r.iteration, r.error, r.skip_reason, r.skipped_until, r.skipped_count, r.created_at,
       r.finished_at
FROM runs_run r
LEFT JOIN runs_runnable o ON o.id = r.runnable_id
LEFT JOIN workspaces_application owner ON owner.id = o.application_id
LEFT JOIN workspaces_application a ON a.id = r.application_id
WHERE o.id IS NOT NULL OR r.runnable_id IS NULL
ORDER BY r.id
"""

_ATTEMPTS = """
SELECT t.run_id::text, a.name, t.number, t.ok, t.started_at, (t.result->>'status')::int
FROM runs_attempt t LEFT JOIN runs_runnable o ON o.id = t.runnable_id
LEFT JOIN workspaces_application a ON a.id = t.application_id
WHERE o.id IS NOT NULL OR t.runnable_id IS NULL
ORDER BY t.run_id, t.number
"""

_COUNTERS = """
SELECT a.name || '/' || o.name, o.runs_made, o.scheduled_runs, o.failures_in_row
FROM runs_runnable o JOIN workspaces_application a ON a.id = o.application_id
"""

_HANDED_BACK = """
SELECT run_id::text, extract(epoch FROM created_at)::float FROM runs_logline
WHERE message LIKE 'Rescued:%' OR message LIKE 'Released:%' OR message LIKE 'Given up:%'
"""

_DELIVERIES = """
SELECT d.id::text, a.name || '/' || o.name, d.standing, coalesce(d.duplicate_of::text, ''), coalesce(r.state, '')
FROM webhooks_delivery d JOIN runs_runnable o ON o.id = d.runnable_id
JOIN workspaces_application a ON a.id = d.application_id
LEFT JOIN runs_run r ON r.id = d.run_id
"""

_ACTS = "SELECT delivery_id::text, state, coalesce(caused::text, '') FROM webhooks_act"

# A row without its run is as wrong as a run without its row.
_TASKS = """
SELECT coalesce(r.id, b.run_id)::text, coalesce(a.name, ''), coalesce(b.definition, ''),
       coalesce(b.parent_id::text, ''), coalesce(r.state, ''), coalesce(r.iteration, 0), coalesce(r.attempts, 0),
       coalesce(r.error, ''), r.finished_at, coalesce(b.has_place OR b.is_parked, false), r.input::text, r.output::text
FROM (SELECT * FROM runs_run WHERE kind = 'background') r
FULL JOIN tasks_backgroundrun b ON b.run_id = r.id
LEFT JOIN workspaces_application a ON a.id = coalesce(b.application_id, r.application_id)
ORDER BY 1
"""

_LOGS = """
SELECT l.run_id::text, l.iteration, l.message
FROM runs_logline l JOIN tasks_backgroundrun b ON b.run_id = l.run_id
ORDER BY l.id
"""

# A run of a job says in its output which version it made. Jobs and collections bear the same names.
_LOADS = """
SELECT r.id::text, a.name || '/' || o.name, r.state, coalesce((r.output->>'version')::int, 0), r.error
FROM runs_run r JOIN runs_runnable o ON o.id = r.runnable_id JOIN workspaces_application a ON a.id = o.application_id
WHERE r.kind = 'slurp' ORDER BY r.id
"""

_COLLECTIONS = """
SELECT c.id, a.name || '/' || c.name, c.mode, c.keep, c.numbered,
       (SELECT count(*) FROM collections_version v WHERE v.collection_id = c.id AND v.stage <> 'ready'),
       (SELECT count(*) FROM collections_row r WHERE r.collection_id = c.id AND NOT EXISTS (
            SELECT FROM collections_version v
            WHERE v.collection_id = c.id AND r.position >= v.starts_at AND r.position < v.ends_at
              AND r.first BETWEEN v.floor AND v.generation AND (r.last IS NULL OR r.last >= v.generation)))
FROM collections_collection c JOIN workspaces_application a ON a.id = c.application_id ORDER BY c.id
"""


def read() -> Books:
    """All of it, once everything is over."""
    books = Books(
        runs=[Run(*row) for row in _rows(_RUNS)],
        attempts=[Attempt(*row) for row in _rows(_ATTEMPTS)],
        counters=[Counters(*row) for row in _rows(_COUNTERS)],
        deliveries=[Delivery(*row) for row in _rows(_DELIVERIES)],
        acts=[Act(*row) for row in _rows(_ACTS)],
        tasks=[Task(*row[:-2], *map(_object, row[-2:])) for row in _rows(_TASKS)],
        loads=[Load(*row) for row in _rows(_LOADS)],
        collections=[Filled(*row, *[_versions(one)]) for one, *row in _rows(_COLLECTIONS)],
    )
    for run, iteration, message in _rows(_LOGS):
        books.logs.setdefault(run, []).append(Line(iteration, message))
    for run, at in _rows(_HANDED_BACK):
        books.handed_back.setdefault(run, []).append(at)
    return books


def _versions(collection_id: int) -> dict[int, Rows]:
    found: dict[int, Rows] = {}
    for version in Version.objects.filter(collection_id=collection_id).ready():
        rows = [json.loads(row) for batch in rows_of(version) for row in batch]
        found[version.number or 0] = [(str(row["id"]), str(row["run"])) for row in rows]
    return found


def _object(text: str | None) -> dict[str, Any]:
    return json.loads(text or "null") or {}


def write(books: Books, path: Path) -> None:
    """All runs, and what tasks and loads have besides, a line each, for who looks for the cause of something."""
    path.write_text("".join(f"{row}\n" for row in (*books.runs, *books.tasks, *books.loads)))


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


# By id, which has the time in it: the newest, without reading all that there are.
_OVER = """
SELECT id::text, state, runnable_id
FROM runs_run WHERE id >= %s AND finished_at IS NOT NULL
"""
LOOKS_BACK_S = 15


class Watch:
    """Reads once a second which runs are over, in a thread of its own: none may be anything else later.

    `over` is run → (state, id of its runnable), as it was first seen.
    """

    def __init__(self) -> None:
        self.over: dict[str, tuple[str, int]] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._go, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join(10)

    def _go(self) -> None:
        while not self._is_over.wait(1):
            try:
                self._look()
            except Error:
                connection.close()
        connection.close()

    def _look(self) -> None:
        since = uuid7_floor(fleet.database_now() - timedelta(seconds=LOOKS_BACK_S))
        with connection.cursor() as cursor:
            cursor.execute(_OVER, [since])
            for run, state, runnable_id in cursor.fetchall():
                self.over.setdefault(run, (state, runnable_id))
