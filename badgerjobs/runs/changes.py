"""What the verbs of `lifecycle.py` are given: values that say what is to change, and change nothing themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import State


@dataclass(frozen=True, slots=True)
class Planned:
    """An occurrence whose time has come, and when its runnable is due after it (null: never)."""

    runnable_id: int
    occurrence: datetime
    next_run_at: datetime | None


@dataclass(frozen=True, slots=True)
class Finished:
    """An attempt that ended, and what becomes of its run. `state` is succeeded, failed or retrying."""

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

    @property
    def duration_ms(self) -> int:
        return max(0, round((self.ended_at - self.started_at) / timedelta(milliseconds=1)))


@dataclass(frozen=True, slots=True)
class Share:
    """How many runs an application may have in one worker's hands, and how many each has there already."""

    most: int
    held: Mapping[int, int]
