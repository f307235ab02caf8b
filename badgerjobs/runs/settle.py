"""What becomes of a run after an attempt: pure, so that every rule of it is a row in a test."""

from datetime import datetime, timedelta

from badgerjobs.lib.backoff import Next, next_attempt
from badgerjobs.runs.changes import Finished
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import State
from badgerjobs.runs.outcomes import Aborted, Continue, Done, Failed, Said


def settle(
    run: Claimed, outcome: Done | Continue | Aborted | Failed, *, started_at: datetime, ended_at: datetime
) -> Finished:
    """Succeeded, given up, failed for good, or waiting: for the attempt after this one, or for the next iteration."""
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
            said=outcome.said,
            input=outcome.input,
        )
    if isinstance(outcome, Continue):
        return _going_on(run, outcome, started_at, ended_at)
    if isinstance(outcome, Aborted):
        return Finished(
            run,
            State.ABORTED,
            run.due_at,
            started_at,
            ended_at,
            ok=True,
            error=outcome.reason,
            output=outcome.output,
            said=Said(outcome.reason),
            input=outcome.input,
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
        data=outcome.data,
        iteration=outcome.iteration,
        input=None if again.at else outcome.input,
    )


def _going_on(run: Claimed, outcome: Continue, started_at: datetime, ended_at: datetime) -> Finished:
    wait = max(0.0, outcome.wait_s)
    return Finished(
        run,
        State.SCHEDULED if wait else State.QUEUED,
        ended_at + timedelta(seconds=wait),
        started_at,
        ended_at,
        ok=True,
        result=outcome.result,
        input=outcome.input,
        output=outcome.output,
        said=outcome.said,
    )


def _again(run: Claimed, outcome: Failed, ended_at: datetime) -> Next:
    if not outcome.retry:
        return Next(None)
    return next_attempt(run.policy, run.tried, began=run.started_at, failed=ended_at, asked=outcome.retry_after)
