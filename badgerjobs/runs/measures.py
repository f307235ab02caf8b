"""What a run's times amount to: when it was due first, how late it began, how long it took."""

from datetime import datetime, timedelta

from badgerjobs.runs.models import Run

_MS = timedelta(milliseconds=1)


def first_due(run: Run) -> datetime:
    """When it was due before any retry."""
    return run.occurrence or run.created_at


def late_ms(run: Run) -> float | None:
    """How long after it was due its first attempt began; None while it has not begun."""
    return max(0.0, (run.started_at - first_due(run)) / _MS) if run.started_at else None


def took_ms(run: Run) -> float | None:
    """How long it took from its first attempt to its end, waits and all; None while it is not over or never began."""
    return max(0.0, (run.finished_at - run.started_at) / _MS) if run.started_at and run.finished_at else None
