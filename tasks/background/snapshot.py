"""A background task as code, REST and GraphQL see it: as it was when it was read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from badgerjobs.runs.models import Run
from tasks.background.standing import status_of
from tasks.models import BackgroundRun


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundTask:
    """One run of a definition. `status` is a word of Webiny's: pending, running, success, failed or aborted.

    `input` is as the last iteration left it, and so is `output`; both are None where they were not asked for.
    `created_by`: {id, displayName, type}. `progress` is a fraction, 0 to 1. While it waits, it goes on at `due_at`.
    `was_there`: it was not triggered anew, as one with the same key is not over, or it is a child that was there.
    """

    id: UUID
    name: str
    definition_id: str
    status: str
    input: Any
    output: Any
    created_at: datetime
    saved_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    due_at: datetime
    created_by: Mapping[str, Any]
    iterations: int
    parent_id: UUID | None
    progress: float | None
    progress_message: str
    error: str
    was_there: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.status not in {"pending", "running"}


def snapshot_of(
    row: BackgroundRun, run: Run | None = None, *, is_whole: bool = True, was_there: bool = False
) -> BackgroundTask:
    """What a row and its run say; without input and output unless it `is_whole`."""
    run = run or row.run
    return BackgroundTask(
        id=row.pk,
        name=row.name,
        definition_id=row.definition,
        status=status_of(run),
        input=(run.input or {}) if is_whole else None,
        output=run.output if is_whole else None,
        created_at=row.created_at,
        saved_at=max(filter(None, (row.saved_at, run.finished_at))),
        started_at=run.started_at,
        finished_at=run.finished_at,
        due_at=run.due_at,
        created_by=row.created_by,
        iterations=row.iterations,
        parent_id=row.parent_id,
        progress=row.progress,
        progress_message=row.progress_message,
        error=run.error,
        was_there=was_there,
    )
