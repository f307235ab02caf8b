"""What becomes of a run after an attempt: pure, so that every rule of it is a row in a test."""

from datetime import datetime

from badgerjobs.lib.backoff import Next, next_attempt
from badgerjobs.runs.changes import Finished
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import State
from badgerjobs.runs.outcomes import Done, Failed


def settle(run: Claimed, outcome: Done | Failed, *, started_at: datetime, ended_at: datetime) -> Finished:
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
    again = _again(run, outcome, ended_at)
    return Finished(
        run,
        State.RETRYING if again.at else State.FAILED,
        again.at or run.due_at,
        started_at,
        ended_at,
        ok=False,
        error_class=outcome.error_class,
        error=f"{outcome.error} {again.why}".rstrip(),
        result=outcome.result,
        output=outcome.output,
        pauses=outcome.pauses,
        in_part=outcome.in_part,
    )


def _again(run: Claimed, outcome: Failed, ended_at: datetime) -> Next:
    if not outcome.retry:
        return Next(None)
    return next_attempt(run.policy, run.attempt, began=run.started_at, failed=ended_at, asked=outcome.retry_after)
