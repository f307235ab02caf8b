"""What follows for a runnable from how its runs end: it is warned of, paused, tried again, or well again.

Runs that succeed where nothing was wrong have no consequences, and cost nothing here. All others are recorded in one
transaction with what follows from them, so that neither is ever there without the other; their runnables are locked
before their runs, as everywhere.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs import incidents, pausing
from badgerjobs.runs.breaker import Ending, Owner, Verdict, judge
from badgerjobs.runs.changes import Finished
from badgerjobs.runs.incidents import Opening
from badgerjobs.runs.models import Breaker, Run, Runnable, State
from badgerjobs.runs.pausing import Pause

# Owner → its runs that ended.
Endings = Mapping[int, Sequence[Ending]]


def has_any(finished: Finished) -> bool:
    """Whether anything follows from this."""
    if finished.run.runnable_id is None:
        return False
    return finished.state == State.FAILED or (finished.state == State.SUCCEEDED and finished.run.is_in_trouble)


def of_finished(finished: Iterable[Finished]) -> Endings:
    """The same as endings, of those that have an owner."""
    found: dict[int, list[Ending]] = {}
    for one in finished:
        if one.run.runnable_id is not None:
            ending = Ending(
                one.run.id, one.run.number, one.ended_at, one.ok, one.error, one.pauses, in_part=one.in_part
            )
            found.setdefault(one.run.runnable_id, []).append(ending)
    return found


def of_failed(run_ids: Collection[UUID], *, now: datetime) -> Endings:
    """Those of these runs that failed without an attempt that did: overtaken, or lost with their workers."""
    found: dict[int, list[Ending]] = {}
    runs = Run.objects.filter(pk__in=list(run_ids), state=State.FAILED, runnable__isnull=False)
    for run_id, runnable_id, number, error in runs.values_list("pk", "runnable_id", "number", "error"):
        found.setdefault(runnable_id, []).append(Ending(run_id, number, now, ok=False, error=error))
    return found


_HOLD = """
SELECT o.id, o.application_id, o.enabled, o.next_run_at IS NOT NULL OR NOT o.enabled, o.breaker, o.failures_in_row,
       o.paused_at, a.warn_after, a.pause_after, a.probe_after_s
FROM runs_runnable o JOIN workspaces_application a ON a.id = o.application_id
WHERE o.id = ANY(%s) ORDER BY o.id FOR NO KEY UPDATE OF o
"""


def hold(runnable_ids: Collection[int], *, waits: bool = True) -> dict[int, Owner]:
    """Lock these, and say how their breakers stand. Those that were deleted are left out.

    So are those that somebody else has locked, unless it `waits` for them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLD if waits else f"{_HOLD} SKIP LOCKED", [list(runnable_ids)])
        rows = cursor.fetchall()
    return {
        row[0]: Owner(
            runnable_id=row[0],
            application_id=row[1],
            enabled=row[2],
            plans=row[3],
            breaker=row[4],
            failures=row[5],
            paused_at=row[6],
            warn_after=row[7],
            pause_after=row[8],
            probe_after=timedelta(seconds=row[9]),
        )
        for row in rows
    }


def follow(held: Mapping[int, Owner], endings: Endings) -> None:
    """Do what follows from these endings of what is held, in as many statements for a thousand as for one."""
    probes = _probes([owner for owner in held.values() if owner.breaker == Breaker.HALF_OPEN])
    verdicts = [
        _verdict(held[runnable_id], ended, probes.get(runnable_id, {}))
        for runnable_id, ended in endings.items()
        if runnable_id in held
    ]
    if verdicts:
        _carry_out(verdicts, now=max(one.at for ended in endings.values() for one in ended))


def _verdict(owner: Owner, ended: Sequence[Ending], probes: Mapping[UUID, bool]) -> Verdict:
    ids = {one.run_id for one in ended}
    before = sum(failed for run_id, failed in probes.items() if run_id not in ids)
    return judge(replace(owner, probes=before), [replace(one, is_probe=one.run_id in probes) for one in ended])


_PROBES = """
SELECT r.runnable_id, r.id, r.state = 'failed'
FROM unnest(%s::bigint[], %s::uuid[], %s::timestamptz[]) AS o(id, floor, since)
JOIN runs_run r ON r.runnable_id = o.id AND r.id >= o.floor AND r.created_at >= o.since AND r.cause = 'probe'
"""
# The clocks that make ids differ by less than this.
_SKEW = timedelta(minutes=1)


def _probes(tried: Sequence[Owner]) -> dict[int, dict[UUID, bool]]:
    """Of each that is tried: its probes since it was paused, and whether they failed. No statement where none is."""
    since = {owner.runnable_id: owner.paused_at for owner in tried if owner.paused_at}
    if not since:
        return {}
    found: dict[int, dict[UUID, bool]] = {}
    floors = [uuid7_floor(moment - _SKEW) for moment in since.values()]
    with connection.cursor() as cursor:
        cursor.execute(_PROBES, [list(since), floors, list(since.values())])
        for runnable_id, run_id, failed in cursor.fetchall():
            found.setdefault(runnable_id, {})[run_id] = failed
    return found


def _carry_out(verdicts: Sequence[Verdict], *, now: datetime) -> None:
    paused = {one.owner.runnable_id: Pause(one.reason, one.until, one.breaker) for one in verdicts if one.pauses}
    if paused:
        pausing.pause(paused, now=now)
    resumed = [one.owner.runnable_id for one in verdicts if one.resumes]
    if resumed:
        pausing.resume(list(Runnable.objects.filter(pk__in=resumed).order_by("pk")), now=now, by_hand=False)
    _write(verdicts)
    if ends := [(one.owner.runnable_id, trouble) for one in verdicts for trouble in sorted(one.closes)]:
        incidents.close_all(ends, now=now)
    if openings := [
        Opening(one.owner.application_id, one.owner.runnable_id, seen.trouble, seen.sentence, seen.run_id)
        for one in verdicts
        for seen in one.opens
    ]:
        incidents.open_all(openings, now=now)


# What stays paused gets another reason, and another time at which it is tried.
_WRITE = """
UPDATE runs_runnable r SET
    failures_in_row = v.failures, breaker = v.breaker,
    paused_until = CASE WHEN v.reason = '' THEN r.paused_until ELSE v.until END,
    pause_reason = CASE WHEN v.reason = '' THEN r.pause_reason ELSE v.reason END
FROM unnest(%(ids)s::bigint[], %(failures)s::int[], %(breakers)s::text[], %(reasons)s::text[],
            %(untils)s::timestamptz[]) AS v(id, failures, breaker, reason, until)
WHERE r.id = v.id
"""


def _write(verdicts: Sequence[Verdict]) -> None:
    values: dict[str, Any] = {
        "ids": [one.owner.runnable_id for one in verdicts],
        "failures": [one.failures for one in verdicts],
        "breakers": [str(one.breaker) for one in verdicts],
        "reasons": [one.reason for one in verdicts],
        "untils": [one.until for one in verdicts],
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, values)
