"""What makes rows of what came: a literal table, language → what turns batches into batches."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from badgerjobs.lib import javascript
from slurps.models import Language
from slurps.slurpers import slurper_of
from slurps.slurping.plan import Batch, Plan, SlurpError

Turn = Callable[[Plan, AsyncIterator[Batch]], AsyncIterator[Batch]]

# What code may take over all rows, and over one batch of them, in seconds; and how much memory it may have.
WHOLE_S, BATCH_S = 10.0, 2.0
MEMORY_BYTES = 256 * 1024 * 1024
OUTPUT_BYTES = 16 * 1024 * 1024
# So many lines of a console go into the log, of each call.
MOST_LINES = 20
BUSY_S = 1.0

TOO_MUCH = (
    "What came has more than {:,} bytes as JSON, which is the most that code over all rows can be given at once. Let"
    " the slurper work batch by batch, or its sources give less."
)
NO_ROWS = "The code must return a list of rows, and returned {}."


async def as_they_come(_plan: Plan, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
    """No code: what came is what is stored."""
    async for batch in batches:
        yield batch


async def over_all(plan: Plan, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
    """JavaScript over `ctx` and `dataMap`."""
    came: dict[str, list[str]] = {source.tag: [] for source in plan.sources}
    read = length = 0
    async for batch in batches:
        for row in batch.rows:
            text = json.dumps(row, separators=(",", ":"))
            length += len(text) + 1
            if length > javascript.ARGUMENTS_BYTES - 64 * 1024:
                raise SlurpError("too_large", TOO_MUCH.format(javascript.ARGUMENTS_BYTES))
            came[batch.source].append(text)
        read += len(batch.rows)
    written = ",".join(f"{json.dumps(tag)}:[{','.join(rows)}]" for tag, rows in came.items())
    arguments = {"ctx": plan.context, "dataMap": javascript.Written(f"{{{written}}}")}
    yield Batch(await _rows_of(plan, arguments, WHOLE_S), read=read)


async def batch_by_batch(plan: Plan, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
    """JavaScript over `ctx`, `rows` and `source`, for each batch: for streams that do not fit into memory."""
    async for batch in batches:
        arguments = {"ctx": plan.context, "rows": batch.rows, "source": batch.source}
        yield Batch(await _rows_of(plan, arguments, BATCH_S), batch.source, batch.read)


async def in_python(plan: Plan, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
    """The operator's own code over all rows; what it yields, or returns, is stored."""
    definition = slurper_of(plan.slurper.function)
    if definition is None:
        raise SlurpError(
            "definition", f"There is no slurper “{plan.slurper.function}” here. Does SLURPERS name its package?"
        )
    came: dict[str, list[Any]] = {source.tag: [] for source in plan.sources}
    read = 0
    async for batch in batches:
        came[batch.source] += batch.rows
        read += batch.read
    try:
        rows = await asyncio.to_thread(lambda: list(definition.slurp(plan.context, came)))
    except Exception as error:
        raise SlurpError("code", f"{type(error).__name__}: {error}", retry=True) from error
    yield Batch(rows, read=read)


LANGUAGES: Mapping[str, Turn] = {
    Language.NONE: as_they_come,
    Language.JAVASCRIPT: over_all,
    Language.JAVASCRIPT_BATCHES: batch_by_batch,
    Language.PYTHON: in_python,
}


async def _rows_of(plan: Plan, arguments: Mapping[str, Any], timeout_s: float) -> list[Any]:
    """What the code returns. Raises SlurpError."""
    while True:
        came = await javascript.arun(
            plan.slurper.code,
            arguments,
            tenant=plan.job.application.workspace_id,
            part=plan.job.application_id,
            timeout_s=timeout_s,
            memory_bytes=MEMORY_BYTES,
            output_bytes=OUTPUT_BYTES,
        )
        if not came.error or came.error.word != "busy":
            break
        await asyncio.sleep(BUSY_S)
    for line in came.console[:MOST_LINES]:
        await asyncio.to_thread(plan.say, "info", line.text, {"console": line.level})
    if came.error:
        passing = came.error.word in {"unavailable", "crashed"}
        raise SlurpError("code", f"The code failed: {came.error}", retry=passing)
    if not isinstance(came.value, list):
        raise SlurpError("code", NO_ROWS.format(_called(came.value)))
    return came.value


def _called(value: Any) -> str:
    if value is None:
        return "nothing"
    return {dict: "an object", str: "a text", bool: "a boolean"}.get(type(value), "a number")
