"""What a run's times amount to: when it was due first, how late it began, how long it took."""

from datetime import datetime, timedelta

from badgerjobs.lib import words
from badgerjobs.runs.models import Cause, Run, State

_MS = timedelta(milliseconds=1)


# What somebody asked for in numbers may be planned for later than it is made: so many a minute.
_PLANNED = {Cause.REPLAY, Cause.BACKFILL}


def first_due(run: Run) -> datetime:
    """When it was due before any retry: at its place in its spread, and in its turn where so many a minute begin.

    A backfill is due when it was made for, which is long after its occurrence.
    """
    if run.state == State.SKIPPED:
        return run.occurrence or run.created_at
    if run.due_at <= run.created_at:  # no retry has moved it, nor a host without room
        return run.due_at
    if run.cause in _PLANNED:
        return min(run.due_at, run.started_at or run.due_at)
    return run.occurrence or run.created_at


def late_ms(run: Run) -> float | None:
    """How long after it was due its first attempt began; None while it has not begun, and where nobody knows any more.

    That is so of a replay and a backfill which was planned for later and then tried more than once.
    """
    if run.started_at is None or (run.cause in _PLANNED and run.due_at > run.started_at):
        return None
    return max(0.0, (run.started_at - first_due(run)) / _MS)


def took_ms(run: Run) -> float | None:
    """How long it took from its first attempt to its end, waits and all; None while it is not over or never began."""
    return max(0.0, (run.finished_at - run.started_at) / _MS) if run.started_at and run.finished_at else None


def so_far(started_at: datetime | None, now: datetime) -> str:
    """How long what began then has run by now: `41 s so far`."""
    seconds = (now - started_at).total_seconds() if started_at else 0
    return f"{words.relative(-seconds).removesuffix(' ago')} so far" if seconds >= 1 else "just begun"
