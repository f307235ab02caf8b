"""`testingRun`: shows that background tasks are run at all."""

from typing import Any

from tasks.background import Params, background_task

FINISHED = "Task successfully finished."


@background_task(
    id="testingRun", title="Testing run", description="Does nothing, and is done: to see that tasks are run."
)
def testing_run(params: Params) -> Any:
    """One iteration, and nothing in it."""
    return params.response.done(FINISHED)
