"""Background tasks that tests of real processes trigger: `BACKGROUND_TASKS=tests.e2e.background_tasks`."""

import time
from pathlib import Path
from typing import Any

from tasks.background import Params, background_task


@background_task(id="countUp", title="Counts up", max_iterations=1000)
def count_up(params: Params) -> Any:
    """One more in each iteration, up to `steps`, with a line in the log.

    Each `every`-th waits for a file of its number in `folder`: so it is not over before somebody has killed enough.
    """
    gate = Path(params.input["folder"], str(params.iteration))
    while params.iteration % params.input["every"] == 0 and not gate.exists():
        time.sleep(0.005)  # between two looks
    counted = params.store.get_output().get("counted", 0) + 1
    params.store.info(f"step {counted}")
    params.store.update_output({"counted": counted})
    if counted == params.input["steps"]:
        return params.response.done("Counted.")
    return params.response.continue_({"last": counted})


@background_task(id="pause", title="Pauses where its input says")
def pause(params: Params) -> Any:
    """In the iteration `held` it goes on until it is aborted, and answers all the same; it waits long after another."""
    if params.iteration == params.input.get("held"):
        params.store.progress(None, "held")
        while not params.is_aborted():
            time.sleep(0.01)  # between two looks
    if params.iteration == params.input["steps"]:
        return params.response.done()
    waits = params.iteration == params.input.get("waits_after")
    return params.response.continue_({}, seconds=3600 if waits else None)


@background_task(id="nothing", title="Does nothing")
def nothing(params: Params) -> Any:
    """One iteration that costs what an iteration costs."""
    return params.response.done()
