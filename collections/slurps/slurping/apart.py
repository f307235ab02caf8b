"""A slurper in Python that is tried out: its code runs in a process of its own, as it does below a worker."""

import json
import threading
from collections.abc import AsyncIterator
from typing import Any

from badgerjobs.lib.storable import cleaned
from badgerjobs.runs.processes.beside import Beside
from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.pipe import Work
from badgerjobs.runs.processes.pool import Pool
from badgerjobs.web.trials import LONGEST_S
from slurps.slurping.languages import closing, rows_by_tag, rows_in_python
from slurps.slurping.plan import Batch, Plan, SlurpError

# Of what is made, as JSON: it is for somebody to look at.
MOST_BYTES = 16 * 1024 * 1024

ENDED = "The code did not come to its end: {}"
NOT_JSON = "What it made cannot be written as JSON: {}."
TOO_MUCH = f"It made more than {MOST_BYTES // 1024 // 1024} MB of rows: try it over fewer."


@closing
async def in_a_process(plan: Plan, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
    """The operator's own code over all rows, in a process that is ended with the trial. Raises SlurpError."""
    came, read = await rows_by_tag(plan, batches)
    work = Work(
        run_id=plan.run_id, application_id=plan.job.application_id, definition=plan.slurper.function,
        name=plan.slurper.function, input={"context": plan.context, "rows": came}, output=None, iteration=1, attempt=1,
        timeout_s=LONGEST_S, kind="slurp_trial",
    )  # fmt: skip
    async with Pool(1, grace_s=0) as pool:
        answer = await pool.iterate(work)
    if answer.word != "done":
        error_class = (answer.error or {}).get("code", "code")
        raise SlurpError(error_class, answer.message if answer.error else ENDED.format(answer.message))
    yield Batch(answer.output, read=read)


def performed(work: Work, _beside: Beside, _stopped: threading.Event) -> Came:
    """Do it, in that process. Whatever the code does there is an answer, unless it ends the process."""
    try:
        return Came("done", output=_made(work))
    except SlurpError as error:
        return Came("error", error.message, error={"message": error.message, "code": error.error_class, "data": None})


def _made(work: Work) -> list[Any]:
    made: list[Any] = cleaned(rows_in_python(work.definition, work.input["context"], work.input["rows"]))
    try:
        length = len(json.dumps(made, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise SlurpError("rows", NOT_JSON.format(error)) from None
    if length > MOST_BYTES:
        raise SlurpError("too_large", TOO_MUCH)
    return made
