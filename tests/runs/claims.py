"""What a worker holds, as tests need it: claimed runs, and how their attempts ended."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from badgerjobs.runs.changes import Finished
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import Run, State
from tests.factories import NOW

ME = UUID("00000000-0000-4000-8000-000000000001")
ANOTHER = UUID("00000000-0000-4000-8000-000000000002")


def claimed(run: Run | None = None, **fields: Any) -> Claimed:
    """The run in a worker's hands; without one, a run that is in no database."""
    given: dict[str, Any] = {
        "id": run.pk if run else uuid4(),
        "application_id": run.application_id if run else 1,
        "runnable_id": run.runnable_id if run else 1,
        "kind": "http",
        "number": 1,
        "attempts": run.attempts if run else 0,
        "occurrence": None,
        "due_at": run.due_at if run else NOW,
        "input": None,
        "retries": 3,
        "retry_step_s": 10,
        "backoff": "incremental",
        "retry_delays": None,
        "retry_for_s": None,
        "started_at": NOW,
    }
    given |= fields
    given_input = given.pop("input")
    return Claimed(**given, input_text=None if given_input is None else json.dumps(given_input))


def ended(run: Run, state: State = State.SUCCEEDED, **fields: Any) -> Finished:
    """An attempt that took 250 ms and ended so."""
    started_at: datetime = fields.pop("started_at", NOW)
    given: dict[str, Any] = {
        "due_at": NOW + timedelta(seconds=10),
        "started_at": started_at,
        "ended_at": started_at + timedelta(milliseconds=250),
        "ok": state == State.SUCCEEDED,
    }
    return Finished(claimed(run), state, **(given | fields))
