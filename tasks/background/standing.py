"""How a run of a background task stands, in Webiny's words."""

from collections.abc import Mapping

from badgerjobs.runs.models import FINAL, Run, State

PENDING, RUNNING, SUCCESS, FAILED, ABORTED = STATUSES = ("pending", "running", "success", "failed", "aborted")
# What each looks like: the mark of a state of runs.
MARKS: Mapping[str, str] = {
    PENDING: "scheduled",
    RUNNING: "running",
    SUCCESS: "succeeded",
    FAILED: "failed",
    ABORTED: "aborted",
}
_OVER = {State.SUCCEEDED: SUCCESS, State.FAILED: FAILED, State.ABORTED: ABORTED}


def status_of(run: Run) -> str:
    """One of STATUSES: pending until its first iteration begins, then running until it is over."""
    if run.state in FINAL:
        return _OVER.get(State(run.state), ABORTED)
    return RUNNING if run.started_at else PENDING
