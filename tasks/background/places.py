"""How many runs of a definition may be under way at once in an application, and which of them wait for a place.

A run takes its place with its first iteration, and keeps it until it is over: between its iterations, too. Who counts
and who takes holds a lock of the definition, so that two workers which claim at the same time never give one place
twice, and nobody who waits is forgotten by one who goes. Who claims does not wait for that lock: whoever has it may
keep it for as long as his transaction lasts, and what is claimed beside it belongs to others.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from badgerjobs.runs import dispatch, fleet, lifecycle
from badgerjobs.runs.changes import PutOff
from badgerjobs.runs.kinds import Claimed
from tasks.background.definitions import definition_of
from tasks.models import BackgroundRun

# One that waits looks again after so many seconds, and so many more for each that waits before it. It need not: who
# goes lets it go on at once.
PARKED_S, EACH_S, LONGEST_S = 30.0, 3.0, 3600.0
# So soon it looks again while somebody else counts or takes the places of its definition.
BUSY_S = 1.0

# Which definition, and whose.
Group = tuple[int, str]


def over(runs: Sequence[Claimed], rows: Mapping[UUID, BackgroundRun]) -> set[UUID]:
    """Which of these, just claimed, are beyond what their definitions allow: they are put off, and nobody's any more.

    The others that need a place have one now. Within the claim's transaction.
    """
    asking = [run for run in runs if not rows[run.id].has_place and _most(rows[run.id].definition) is not None]
    if not asking:
        return set()
    groups = _locked({_group(rows[run.id]) for run in asking})
    taken, waiting = _counts(groups)
    placed: list[UUID] = []
    parked: dict[UUID, float] = {}
    busy: dict[UUID, float] = {}
    for run in sorted(asking, key=lambda run: run.id):
        group = _group(rows[run.id])
        if group not in groups:
            busy[run.id] = BUSY_S
        elif taken.get(group, 0) < (_most(group[1]) or 0):
            taken[group] = taken.get(group, 0) + 1
            placed.append(run.id)
        else:
            before = waiting[group] = waiting.get(group, 0) + (not rows[run.id].is_parked)
            parked[run.id] = min(LONGEST_S, PARKED_S + EACH_S * max(0, before - 1))
    BackgroundRun.objects.filter(pk__in=placed).update(has_place=True, is_parked=False)
    BackgroundRun.objects.filter(pk__in=list(parked)).update(is_parked=True)
    waits = parked | busy
    _put_off([run for run in asking if run.id in waits], waits)
    return set(waits)


def _put_off(runs: Sequence[Claimed], waits: Mapping[UUID, float]) -> None:
    """Here and not by the worker: until it did, nobody who goes could let them go on."""
    if not runs:
        return
    now = fleet.database_now()
    put_off = [PutOff(run, now + timedelta(seconds=waits[run.id])) for run in runs]
    for worker in {run.worker for run in runs if run.worker}:
        lifecycle.postpone([one for one in put_off if one.run.worker == worker], worker=worker)


def free(gone: Iterable[BackgroundRun], *, now: datetime) -> None:
    """Let as many go on as there are places, of the definitions of these, which are over: those that wait longest."""
    if not (groups := sorted({_group(row) for row in gone})):
        return
    _lock(groups)
    taken, waiting = _counts(groups)
    rooms = {group: _room(group, taken, waiting) for group in groups if waiting.get(group)}
    asked = {group: room for group, room in rooms.items() if room > 0}
    if not asked:
        return
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST, {**_columns(asked), "rooms": list(asked.values())})
        oldest = [run_id for (run_id,) in cursor.fetchall()]
    if oldest:
        lifecycle.hasten(oldest, now=now)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [dispatch.CHANNEL])


def _room(group: Group, taken: Mapping[Group, int], waiting: Mapping[Group, int]) -> int:
    """How many may begin; all that wait where there is no limit any more."""
    most = _most(group[1])
    return waiting.get(group, 0) if most is None else most - taken.get(group, 0)


def _most(definition_id: str) -> int | None:
    definition = definition_of(definition_id)
    return definition.concurrency if definition else None


def _group(row: BackgroundRun) -> Group:
    return row.application_id, row.definition


def _columns(groups: Iterable[Group]) -> dict[str, Any]:
    groups = list(groups)
    return {"applications": [one[0] for one in groups], "definitions": [one[1] for one in groups]}


def _lock(groups: Iterable[Group]) -> None:
    """Until the transaction ends; in the order of the numbers, as everybody does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(g.number) FROM unnest(%s::bigint[]) AS g(number)",
            [sorted(_number(*group) for group in groups)],
        )


def _locked(groups: Iterable[Group]) -> set[Group]:
    """Those of these that nobody else has locked: they are locked now, until the transaction ends."""
    by_number = {_number(*group): group for group in groups}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT g.number FROM unnest(%s::bigint[]) AS g(number) WHERE pg_try_advisory_xact_lock(g.number)",
            [sorted(by_number)],
        )
        return {by_number[number] for (number,) in cursor.fetchall()}


def _number(application_id: int, definition: str) -> int:
    """The same in every process; of two definitions hardly ever."""
    digest = hashlib.blake2b(f"places {application_id} {definition}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


# Each in its own index, which holds hardly more than is counted. What is over has no place, whatever its row says.
_COUNT = """
SELECT g.application_id, g.definition, (
    SELECT count(*) FROM tasks_backgroundrun b JOIN runs_run r ON r.id = b.run_id
    WHERE b.application_id = g.application_id AND b.definition = g.definition AND b.has_place
      AND r.state IN ('scheduled', 'queued', 'running', 'retrying')
), (
    SELECT count(*) FROM tasks_backgroundrun b
    WHERE b.application_id = g.application_id AND b.definition = g.definition AND b.is_parked
)
FROM unnest(%(applications)s::bigint[], %(definitions)s::text[]) AS g(application_id, definition)
"""


def _counts(groups: Iterable[Group]) -> tuple[dict[Group, int], dict[Group, int]]:
    """How many of each have a place, and how many wait for one."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, _columns(groups))
        rows = cursor.fetchall()
    return {(owner, name): taken for owner, name, taken, _ in rows}, {
        (owner, name): waiting for owner, name, _, waiting in rows
    }


# What somebody else changes at this moment, because it is aborted for one, is passed over: nobody waits for it here.
_OLDEST = """
SELECT oldest.id
FROM unnest(%(applications)s::bigint[], %(definitions)s::text[], %(rooms)s::int[])
    AS g(application_id, definition, room)
CROSS JOIN LATERAL (
    SELECT r.id FROM tasks_backgroundrun b JOIN runs_run r ON r.id = b.run_id
    WHERE b.application_id = g.application_id AND b.definition = g.definition AND b.is_parked AND r.state = 'scheduled'
    ORDER BY b.run_id LIMIT g.room FOR NO KEY UPDATE OF r SKIP LOCKED
) AS oldest
"""
