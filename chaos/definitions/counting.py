"""Those that count their iterations: straight on, with failures, with waits. The input has `number` and `steps`."""

import time
import zlib
from typing import Any

from tasks.background import Params, background_task

# Between what an iteration says and what it leaves: there most kills strike.
TAKES_S = 0.04
# Of a hundred attempts so many fail, as good as by chance. So many of one iteration would have to, to fail the task.
FAILS, RETRIES, RETRY_STEP_S = 15, 9, 1
# Between two iterations, and how many of an application may be under way at once.
WAITS_S, PLACES = 1, 3


def step(params: Params) -> int:
    """Count one more than the iteration before left, tell it, and keep who counted. Returns how many there are."""
    output = params.store.get_output()
    counted: int = output.get("counted", 0) + 1
    params.store.info(f"step {counted}")
    time.sleep(TAKES_S)
    params.store.update_output({"counted": counted, "kept": [*output.get("kept", []), params.iteration]})
    return counted


def _on(params: Params, counted: int, seconds: float | None = None) -> Any:
    if counted == params.input["steps"]:
        return params.response.done()
    return params.response.continue_({"passed": counted}, seconds=seconds)


@background_task(id="drillCount", title="Counts")
def count(params: Params) -> Any:
    """One iteration after the other."""
    return _on(params, step(params))


@background_task(id="drillFail", title="Counts, and fails now and then", retries=RETRIES, retry_step_s=RETRY_STEP_S)
def fail(params: Params) -> Any:
    """What an attempt left that fails must not be kept."""
    counted = step(params)
    if zlib.crc32(f"{params.id}:{params.attempt}".encode()) % 100 < FAILS:
        return params.response.error("as it should")
    return _on(params, counted)


@background_task(id="drillWait", title="Counts, and waits in between", concurrency=PLACES)
def wait(params: Params) -> Any:
    """It has its place in its waits, too."""
    if params.is_aborted():
        return params.response.aborted()
    return _on(params, step(params), WAITS_S)
