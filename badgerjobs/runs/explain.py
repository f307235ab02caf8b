"""What the log of a run says of a change of its state."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from badgerjobs.runs.changes import Finished
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
            data={"next_attempt_at": one.due_at.isoformat()} if one.state == State.RETRYING else None,
            created_at=one.ended_at,
        )
        for one in failed
    )


def log_moves(moved: Iterable[tuple[UUID, int, int]], *, level: str, message: str, now: datetime) -> None:
    """One line for each run that was moved: its id, its application's, and how many attempts it had."""
    LogLine.objects.bulk_create(
        LogLine(
            run_id=run_id,
            application_id=application_id,
            attempt=attempts + 1,
            level=level,
            message=message,
            created_at=now,
        )
        for run_id, application_id, attempts in moved
    )
