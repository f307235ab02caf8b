"""What becomes of a run after an attempt: pure, so that every rule of it is a row in a test."""

from datetime import datetime

from badgerjobs.lib.backoff import Incremental, with_jitter
from badgerjobs.runs.changes import Finished
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import State
from badgerjobs.runs.outcomes import Done, Outcome


def settle(run: Claimed, outcome: Outcome, *, started_at: datetime, ended_at: datetime) -> Finished:
    """Succeeded, or failed for good, or waiting for the attempt after this one."""
    if isinstance(outcome, Done):
        return Finished(
            run,
            State.SUCCEEDED,
            run.due_at,
            started_at,
            ended_at,
            ok=True,
            result=outcome.result,
            output=outcome.output,
        )
    backoff = Incremental(step_s=run.retry_step_s, retries=run.retries)
    delay = backoff.delay(run.attempt) if outcome.retry else None
    return Finished(
        run,
        State.FAILED if delay is None else State.RETRYING,
        run.due_at if delay is None else ended_at + with_jitter(delay),
        started_at,
        ended_at,
        ok=False,
        error_class=outcome.error_class,
        error=outcome.error,
        result=outcome.result,
    )
