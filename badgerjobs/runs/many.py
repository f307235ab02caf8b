"""What can be done with many runnables at once: the verbs of `services.py` in a few statements, however many there are.

Each locks its rows in the order of their ids, so that two of them never wait for each other; a tick passes over what
they hold. Each is called within a transaction of its caller's. Those that went meanwhile are left out.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.db.models import F

from badgerjobs.lib.schedule import ScheduleError
from badgerjobs.runs import dispatch, lifecycle, remains
from badgerjobs.runs.models import Cause, Run, Runnable, State
from badgerjobs.runs.services import resumed
from badgerjobs.runs.worker import ring_after_commit

# So many may be changed by one request: it takes a few seconds, and holds their rows for as long.
MOST = 10_000


def run_all_now(runnable_ids: Sequence[int], *, cause: Cause, now: datetime) -> list[int]:
    """Run each at once, beside its schedule and whether it is enabled or not. Returns those that were there."""
    held = _hold(runnable_ids)
    for queue in set(lifecycle.queue_all_now(held, cause=cause, now=now)):
        ring_after_commit(queue)
    return held


_PAUSE = """
UPDATE runs_runnable SET enabled = false, next_run_at = NULL, updated_at = %s
WHERE id = ANY(%s) AND enabled RETURNING id
"""

# In the words of the partial indexes, which hold no finished run.
_WAITING = """
SELECT id FROM runs_run WHERE (state = 'queued' OR state IN ('scheduled', 'retrying')) AND runnable_id = ANY(%s)
"""


def pause_all(runnable_ids: Sequence[int], *, now: datetime) -> list[int]:
    """Switch them off and abort what waits of them; what runs goes on. Returns those that were on."""
    with connection.cursor() as cursor:
        cursor.execute(_PAUSE, [now, _hold(runnable_ids)])
        paused = [runnable_id for (runnable_id,) in cursor.fetchall()]
        cursor.execute(_WAITING, [paused])
        waiting = [run_id for (run_id,) in cursor.fetchall()]
    lifecycle.abort(waiting, now=now, reason="Paused before it began.", running_too=False)
    return paused


_RESUME = """
UPDATE runs_runnable r SET enabled = true, next_run_at = p.next_run_at, updated_at = %s
FROM unnest(%s::bigint[], %s::timestamptz[]) AS p(id, next_run_at) WHERE r.id = p.id
"""


def resume_all(runnable_ids: Sequence[int], *, now: datetime) -> list[int]:
    """Switch them on and plan their next runs: a series keeps its rhythm. Returns those that were off."""
    held = Runnable.objects.select_for_update(no_key=True).filter(pk__in=_hold(runnable_ids), enabled=False)
    runnables = list(held.order_by("pk"))
    aborted = _aborted_once(runnables)
    planned = [_next(runnable, now, aborted) for runnable in runnables]
    ids = [runnable.pk for runnable in runnables]
    with connection.cursor() as cursor:
        cursor.execute(_RESUME, [now, ids, planned])
        # Twice the horizon: what plans it may take a while to commit.
        if any(moment and moment - now < 2 * dispatch.HORIZON for moment in planned):
            cursor.execute("SELECT pg_notify(%s, '')", [dispatch.CHANNEL])
    return ids


def _next(runnable: Runnable, now: datetime, aborted: set[int]) -> datetime | None:
    try:
        moment = resumed(runnable, now, lambda once: once.pk in aborted)
    except ScheduleError:  # a zone that a new tzdata dropped: it is planned no more, and its page says so
        return None
    return max(moment, now) if moment else None


def _aborted_once(runnables: Sequence[Runnable]) -> set[int]:
    once = [runnable.pk for runnable in runnables if runnable.run_at and not runnable.schedule.is_recurring]
    runs = Run.objects.filter(runnable_id__in=once, state=State.ABORTED, occurrence__gte=F("runnable__run_at"))
    return set(runs.values_list("runnable_id", flat=True)) if once else set()


def delete_all(runnable_ids: Sequence[int]) -> None:
    """Delete them and what waits or runs of them. Their owners must be gone already.

    No list shows their results any more, which are deleted by and by.
    """
    ids = _hold(runnable_ids, "FOR UPDATE")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM runs_runnable WHERE id = ANY(%s)", [ids])
    remains.leave_all(ids)


def _hold(runnable_ids: Sequence[int], lock: str = "FOR NO KEY UPDATE") -> list[int]:
    with connection.cursor() as cursor:
        sql = f"SELECT id FROM runs_runnable WHERE id = ANY(%s) ORDER BY id {lock}"  # noqa: S608
        cursor.execute(sql, [list(runnable_ids)])
        return [runnable_id for (runnable_id,) in cursor.fetchall()]
