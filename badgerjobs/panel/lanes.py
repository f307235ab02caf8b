"""The strip of now: what ran in the last ten minutes, what runs, what is due in the next five, by kind.

A unit of the drawing is a second. However many runs there were, a bounded number is read: some of every two seconds,
which is finer than a screen shows, and all that failed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from badgerjobs.lib import charts
from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.lib.schedule import ScheduleError
from badgerjobs.panel.kinds import KINDS
from badgerjobs.runs.models import Runnable
from badgerjobs.runs.schedules import runs_left

PAST_S, AHEAD_S = 600, 300
SLOT_S = 2
# How many runs are read of each slot, of those that failed, and of those that run.
OF_A_SLOT, FAILED, RUNNING = 10, 300, 2000
# Shorter than this (seconds) a run is a tick, longer it is a stretch.
STRETCH_S = 4
# So many occurrences of one job are drawn.
OCCURRENCES = 60

_LOOK = """
(SELECT 'ended', r.kind, r.started_at, r.finished_at
 FROM unnest(%(firsts)s::uuid[], %(ends)s::uuid[]) AS slot(first, ends), LATERAL (
    SELECT kind, state, started_at, finished_at FROM runs_run
    WHERE application_id = %(application)s AND id >= slot.first AND id < slot.ends
    LIMIT %(of_a_slot)s) r
 WHERE r.started_at IS NOT NULL AND r.finished_at IS NOT NULL AND r.state <> 'failed')
UNION ALL
(SELECT 'failed', kind, coalesce(started_at, finished_at), finished_at FROM runs_run
 WHERE application_id = %(application)s AND state = 'failed' AND id >= %(since)s ORDER BY id DESC LIMIT %(failed)s)
UNION ALL
(SELECT 'running', kind, started_at, NULL FROM runs_run
 WHERE application_id = %(application)s AND state = 'running' LIMIT %(running)s)
"""


@dataclass(slots=True)
class Lane:
    """One kind's: places in seconds from the left edge, `stretches` and `running` from and to."""

    ended: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    stretches: list[tuple[int, int]] = field(default_factory=list)
    running: list[tuple[int, int]] = field(default_factory=list)
    due: list[int] = field(default_factory=list)

    def drawn(self) -> dict[str, Any]:
        """Paths, ready for JSON and for the template."""
        return {
            "ended": charts.ticks(self.ended),
            "failed": charts.ticks(self.failed, top=2, length=20),
            "stretches": charts.stretches(self.stretches),
            "running": charts.stretches(self.running),
            "due": charts.ticks(self.due),
            "count": len(self.running),
            "said": f"{len(self.ended) + len(self.stretches):,} ran, {len(self.failed):,} failed, "
            f"{len(self.running):,} running, {len(set(self.due)):,} due",
        }


def lanes(application_id: int, soonest: Callable[[], Sequence[Runnable]], now: datetime) -> dict[str, Any]:
    """Kind → its lane, drawn. `soonest` gives the runnables that are due first."""
    found: dict[str, Lane] = {kind: Lane() for kind in KINDS}
    for what, kind, began, ended in _look(application_id, now):
        _put(found.setdefault(kind, Lane()), what, began, ended, now)
    for runnable in soonest():
        lane = found.setdefault(runnable.kind, Lane())
        until = now + timedelta(seconds=AHEAD_S)
        lane.due += [_place(max(moment, now), now) for moment in _occurrences(runnable, now, until)]
    return {kind: lane.drawn() for kind, lane in found.items()}


def _look(application_id: int, now: datetime) -> Iterable[tuple[str, str, datetime, datetime | None]]:
    since = now - timedelta(seconds=PAST_S)
    edges = [uuid7_floor(since + timedelta(seconds=at)) for at in range(0, PAST_S + SLOT_S, SLOT_S)]
    values: dict[str, Any] = {
        "application": application_id,
        "firsts": edges[:-1],
        "ends": edges[1:],
        "since": edges[0],
        "of_a_slot": OF_A_SLOT,
        "failed": FAILED,
        "running": RUNNING,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, values)
        return cursor.fetchall()  # type: ignore[no-any-return]


def _put(lane: Lane, what: str, began: datetime, ended: datetime | None, now: datetime) -> None:
    first, last = _place(began, now), _place(ended or now, now)
    if what == "running":
        lane.running.append((first, last))
    elif what == "failed":
        lane.failed.append(last)
    elif last - first < STRETCH_S:
        lane.ended.append(first)
    else:
        lane.stretches.append((first, last))


def _place(moment: datetime, now: datetime) -> int:
    return min(PAST_S + AHEAD_S, max(0, PAST_S + round((moment - now).total_seconds())))


def _occurrences(runnable: Runnable, now: datetime, until: datetime) -> list[datetime]:
    """When it starts until then, at its place in its spread; of what is overdue only the first, made up for at once."""
    found: list[datetime] = []
    moment, left = runnable.next_run_at, runs_left(runnable)
    offset = timedelta(milliseconds=runnable.offset_ms)
    most = OCCURRENCES if left is None else min(OCCURRENCES, left)
    while moment and moment <= until and len(found) < most:
        found.append(moment)
        try:
            latest = max(moment, now) - offset
            following = runnable.schedule.next_after(latest) if runnable.schedule.is_recurring else None
        except ScheduleError:  # its page says what is wrong with it
            break
        moment = following + offset if following else None
    return found
