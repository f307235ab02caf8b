"""What can be done with many runnables at once: the verbs of `services.py` in a few statements, however many there are.

Each locks its rows in the order of their ids, so that two of them never wait for each other; a tick passes over what
they hold. Each is called within a transaction of its caller's. Those that went meanwhile are left out.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from badgerjobs.runs import dispatch, incidents, lifecycle, making, pausing, remains
from badgerjobs.runs.models import Breaker, Cause, Run, Runnable, Trouble
from badgerjobs.runs.worker import ring_after_commit

# So many may be changed by one request: it takes a few seconds, and holds their rows for as long.
MOST = 10_000


def run_all_now(runnable_ids: Sequence[int], *, cause: Cause, now: datetime) -> list[int]:
    """Run each at once, beside its schedule and whether it is enabled or not. Returns those that were there."""
    held = _hold(runnable_ids)
    for queue in {queue for _, queue in making.queue_all_now(held, cause=cause, now=now)}:
        ring_after_commit(queue)
    return held


def pause_all(
    runnable_ids: Sequence[int], *, now: datetime, reason: str = "", until: datetime | None = None
) -> list[int]:
    """Switch them off and abort what waits of them; what runs goes on. Returns those that were on.

    `until` None: until somebody resumes them.
    """
    return pausing.pause(dict.fromkeys(_hold(runnable_ids), pausing.Pause(reason, until)), now=now)


def end_all(runnable_ids: Sequence[int], *, now: datetime, reason: str = "") -> None:
    """Switch them off until somebody resumes them, and abort what waits and what runs of them."""
    held = _hold(runnable_ids)
    going = Run.objects.filter(runnable_id__in=held).unfinished().values_list("pk", flat=True)
    lifecycle.abort(list(going), now=now, reason=f"Cancelled: {reason}" if reason else "Cancelled.")
    paused = pausing.pause(dict.fromkeys(held, pausing.Pause(reason)), now=now)
    # What was off already goes on by itself no more, whoever paused it.
    off = set(held) - set(paused)
    Runnable.objects.filter(pk__in=off).update(paused_until=None, pause_reason=reason, breaker=Breaker.CLOSED)
    incidents.close_all([(runnable_id, Trouble.PAUSED) for runnable_id in off], now=now, by_hand=True)


def resume_all(runnable_ids: Sequence[int], *, now: datetime) -> list[int]:
    """Switch them on and plan their next runs: a series keeps its rhythm. Returns those that were off."""
    runnables = list(Runnable.objects.filter(pk__in=_hold(runnable_ids), enabled=False).order_by("pk"))
    planned = pausing.resume(runnables, now=now, by_hand=True)
    # Twice the horizon: what plans it may take a while to commit.
    if any(moment and moment - now < 2 * dispatch.HORIZON for moment in planned):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [dispatch.CHANNEL])
    return [runnable.pk for runnable in runnables]


def delete_all(runnable_ids: Sequence[int]) -> None:
    """Delete them and what waits or runs of them. Their owners must be gone already.

    No list shows their results any more, which are deleted by and by.
    """
    ids = _hold(runnable_ids, "FOR UPDATE")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM runs_runnable WHERE id = ANY(%s)", [ids])
    incidents.delete_of(ids)
    remains.leave_all(ids)


def _hold(runnable_ids: Sequence[int], lock: str = "FOR NO KEY UPDATE") -> list[int]:
    with connection.cursor() as cursor:
        sql = f"SELECT id FROM runs_runnable WHERE id = ANY(%s) ORDER BY id {lock}"  # noqa: S608
        cursor.execute(sql, [list(runnable_ids)])
        return [runnable_id for (runnable_id,) in cursor.fetchall()]
