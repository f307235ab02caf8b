"""A past for the overview to tell of: runs that were made at a moment of ours, under ids of that moment."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs.models import Run, Runnable, State
from tests.factories import make_run

NOW = datetime(2026, 3, 2, 12, 34, 56, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)

_numbers = iter(range(1, 1_000_000))


def id_at(when: datetime) -> UUID:
    """An id as it would have been made at that moment."""
    return UUID(int=uuid7_floor(when).int + next(_numbers))


def ran(runnable: Runnable, when: datetime, state: State = State.SUCCEEDED, late_ms: int = 30, **fields: object) -> Run:
    """A run that was due and made at `when`, began so late, and took half a second if its state says that it ended."""
    began = when + timedelta(milliseconds=late_ms)
    ended = {} if state in {State.RUNNING, State.QUEUED, State.RETRYING} else {"finished_at": began + SECOND / 2}
    started = {} if state == State.QUEUED else {"started_at": began}
    given = {"attempts": 1, "due_at": when, "created_at": when, "number": next(_numbers)}
    return make_run(runnable, state, id=id_at(when), **{**given, **started, **ended, **fields})
