"""What the log of a run says of a change of its state."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from badgerjobs.runs.changes import Finished, Moved
from badgerjobs.runs.models import LogLine, State


def log_retries(failed: Iterable[Finished]) -> None:
    """A line for each attempt that failed: what was wrong, and when the next one is made, if one is."""
    LogLine.objects.bulk_create(
        LogLine(
            run_id=one.run.id,
            application_id=one.run.application_id,
            attempt=one.run.attempt,
            level="warning" if one.state == State.RETRYING else "error",
            message=one.error,
            data=_told(one),
            iteration=one.iteration or one.run.iteration,
            rescues=one.run.rescues,
            created_at=one.ended_at,
        )
        for one in failed
    )


def _told(failed: Finished) -> Any:
    """What goes with the error, and when the next attempt is made, if one is."""
    if failed.state != State.RETRYING:
        return failed.data
    next_one = {"next_attempt_at": failed.due_at.isoformat()}
    return {**failed.data, **next_one} if isinstance(failed.data, dict) else next_one


def log_said(ended: Iterable[Finished]) -> None:
    """The line that each of these brought, with what became of it; one statement for all, none without any."""
    LogLine.objects.bulk_create(
        LogLine(
            run_id=one.run.id,
            application_id=one.run.application_id,
            attempt=one.run.attempt,
            iteration=one.run.iteration,
            rescues=one.run.rescues,
            level="info",
            message=one.said.message,
            data=one.said.data,
            created_at=one.ended_at,
        )
        for one in ended
        if one.said
    )


def log_moves(moved: Iterable[Moved], *, level: str, message: str, now: datetime) -> None:
    """One line for each run that was moved."""
    LogLine.objects.bulk_create(
        LogLine(
            run_id=one.run_id,
            application_id=one.application_id,
            attempt=one.attempts + 1,
            iteration=one.iteration,
            rescues=one.rescues,
            level=level,
            message=message,
            created_at=now,
        )
        for one in moved
    )
