"""What the verbs of `lifecycle.py` are given: values that say what is to change, and change nothing themselves."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import State
from badgerjobs.runs.outcomes import Said

# What its column holds, nearly 25 days: one that was put off in its middle may last longer.
LONGEST_MS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Finished:
    """An attempt that ended, and what becomes of its run. `state` is succeeded, aborted, failed or retrying.

    Or scheduled or queued: its next iteration follows, with this `input`. `pauses` says that its runnable is to be
    paused, with the error as the reason; `in_part` that part of it was done. `said` goes into the run's log, `data`
    there with the error, which is told of this `iteration`; None: of that of the run.
    """

    run: Claimed
    state: State
    due_at: datetime
    started_at: datetime
    ended_at: datetime
    ok: bool
    error_class: str = ""
    error: str = ""
    result: Any = None
    output: Any = None
    pauses: bool = False
    in_part: bool = False
    input: Any = None
    said: Said | None = None
    data: Any = None
    iteration: int | None = None

    @property
    def goes_on(self) -> bool:
        """Whether another iteration follows."""
        return self.state in {State.SCHEDULED, State.QUEUED}

    @property
    def duration_ms(self) -> int:
        lasted = round((self.ended_at - self.started_at) / timedelta(milliseconds=1))
        return min(max(0, lasted), LONGEST_MS)


@dataclass(frozen=True, slots=True)
class PutOff:
    """A run that was handed back untried, or in the middle of its attempt, and when it may be taken again."""

    run: Claimed
    due_at: datetime
    is_begun: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """A run that was moved on by something else than an attempt of it: as it is now."""

    run_id: UUID
    application_id: int
    attempts: int
    iteration: int
    kind: str
    state: str
    rescues: int = 0


def columns_of(finished: Sequence[Finished], attempt_ids: Sequence[UUID]) -> list[list[Any]]:
    """The same as the statement of `lifecycle.finish` unnests it: a list for each column, in its order."""
    return [
        [one.run.id for one in finished],
        list(attempt_ids),
        [one.state.value for one in finished],
        [one.due_at for one in finished],
        [one.started_at for one in finished],
        [one.ended_at for one in finished],
        [one.duration_ms for one in finished],
        [one.ok for one in finished],
        [one.error_class for one in finished],
        [one.error for one in finished],
        [_json(one.result) for one in finished],
        [_json(one.output) for one in finished],
        [one.run.attempts for one in finished],
    ]


def columns_of_next(finished: Sequence[Finished], attempt_ids: Sequence[UUID]) -> list[list[Any]]:
    """The same for those whose next iteration follows."""
    return [
        [one.run.id for one in finished],
        list(attempt_ids),
        [one.state.value for one in finished],
        [one.due_at for one in finished],
        [one.started_at for one in finished],
        [one.ended_at for one in finished],
        [one.duration_ms for one in finished],
        [_json(one.result) for one in finished],
        [_json(one.output) for one in finished],
        [_json(one.input) for one in finished],
        [one.run.attempts for one in finished],
    ]


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)
