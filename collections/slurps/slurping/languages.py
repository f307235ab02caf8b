"""What makes rows of what came: a literal table, language → what turns batches into batches."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from functools import wraps
from typing import Any

from badgerjobs.lib import javascript
from badgerjobs.lib.storable import cleaned
from slurps.models import Language
from slurps.slurpers import slurper_of
from slurps.slurping.plan import Batch, Plan, SlurpError

Turn = Callable[[Plan, AsyncIterator[Batch]], AsyncIterator[Batch]]

# What code may take over all rows, and over one batch of them, in seconds; and how much memory it may have.
WHOLE_S, BATCH_S = 10.0, 2.0
# Of what comes, as JSON; the rest is for `ctx`.
GIVEN_BYTES = javascript.ARGUMENTS_BYTES - 64 * 1024
MEMORY_BYTES = 256 * 1024 * 1024
OUTPUT_BYTES = 16 * 1024 * 1024
# So many lines of a console go into the log, of each call.
MOST_LINES = 20
BUSY_S = 1.0

TOO_MUCH = (
    "What came has more than {:,} bytes as JSON, which is the most that code over all rows can be given at once. Let"
    " the slurper work batch by batch, or its sources give less."
)
TOO_LONG = "“{}”, row {:,}: it has {:,} bytes as JSON, and code can be given {:,}. Let the source give less."
NO_ROWS = "The code must return a list of rows, and returned {}."


def closing(turn: Turn) -> Turn:
    """The same, and with it what it reads is closed: a pull whose rows nobody wants lets go of its connection."""

    @wraps(turn)
    async def closed(plan: Plan, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
        async with aclosing(batches), aclosing(turn(plan, batches)) as made:  # type: ignore[type-var]  # generators
            async for batch in made:
                yield batch

    return closed


@closing
async def as_they_come(_plan: Plan, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
    """No code: what came is what is stored."""
    async for batch in batches:
        yield batch


@closing
async def over_all(plan: Plan, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
    """JavaScript over `ctx` and `dataMap`."""
    came: dict[str, list[str]] = {source.tag: [] for source in plan.sources}
    read = length = 0
    async for batch in batches:
        for row in batch.rows:
            text = json.dumps(row, separators=(",", ":"))
            length += len(text) + 1
            if len(text) > GIVEN_BYTES:  # which no batch makes shorter
                place = len(came[batch.source]) + 1
                raise SlurpError("too_large", TOO_LONG.format(batch.source, place, len(text), GIVEN_BYTES))
            if length > GIVEN_BYTES:
                raise SlurpError("too_large", TOO_MUCH.format(javascript.ARGUMENTS_BYTES))
            came[batch.source].append(text)
        read += len(batch.rows)
    written = ",".join(f"{json.dumps(tag)}:[{','.join(rows)}]" for tag, rows in came.items())
    arguments = {"ctx": plan.context, "dataMap": javascript.Written(f"{{{written}}}")}
    yield Batch(await _rows_of(plan, arguments, WHOLE_S), read=read)


@closing
async def batch_by_batch(plan: Plan, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
    """JavaScript over `ctx`, `rows` and `source`, for each batch: for streams that do not fit into memory."""
    before: Counter[str] = Counter()
    async for batch in batches:
        for rows, text in _fitting(batch.rows):
            first, last = before[batch.source] + 1, before[batch.source] + len(rows)
            before[batch.source] = last
            if len(text) > GIVEN_BYTES:
                raise SlurpError("too_large", TOO_LONG.format(batch.source, first, len(text) - 2, GIVEN_BYTES))
            arguments = {"ctx": plan.context, "rows": javascript.Written(text), "source": batch.source}
            try:
                made = await _rows_of(plan, arguments, BATCH_S)
            except SlurpError as error:
                said = f"“{batch.source}”, rows {first:,} to {last:,}: {error.message}"
                raise SlurpError(error.error_class, said, retry=error.retry) from None
            yield Batch(made, batch.source, len(rows))


@closing
async def in_python(plan: Plan, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
    """The operator's own code over all rows; what it yields, or returns, is stored."""
    came, read = await rows_by_tag(plan, batches)
    rows = await asyncio.to_thread(rows_in_python, plan.slurper.function, plan.context, came)
    yield Batch(rows, read=read)


async def rows_by_tag(plan: Plan, batches: AsyncIterator[Batch]) -> tuple[dict[str, list[Any]], int]:
    """All rows of each source, by its tag, and how many they are."""
    came: dict[str, list[Any]] = {source.tag: [] for source in plan.sources}
    read = 0
    async for batch in batches:
        came[batch.source] += batch.rows
        read += batch.read
    return came, read


def rows_in_python(function: str, context: Mapping[str, Any], came: Mapping[str, list[Any]]) -> list[Any]:
    """What the operator's code makes of them. Raises SlurpError."""
    definition = slurper_of(function)
    if definition is None:
        raise SlurpError("definition", f"There is no slurper “{function}” here. Does SLURPERS name its package?")
    try:
        return list(definition.slurp(context, came))
    except (Exception, SystemExit) as error:
        raise SlurpError("code", cleaned(f"{type(error).__name__}: {error}"), retry=True) from error


LANGUAGES: Mapping[str, Turn] = {
    Language.NONE: as_they_come,
    Language.JAVASCRIPT: over_all,
    Language.JAVASCRIPT_BATCHES: batch_by_batch,
    Language.PYTHON: in_python,
}


def _fitting(rows: list[Any]) -> Iterator[tuple[list[Any], str]]:
    """The same in as few parts as code can be given one after the other, each with its JSON.

    There everything beyond ASCII is escaped: a batch may be six times as long as it came.
    """
    text = json.dumps(rows, separators=(",", ":"))
    if len(text) <= GIVEN_BYTES or len(rows) < 2:
        yield rows, text
        return
    middle = len(rows) // 2
    yield from _fitting(rows[:middle])
    yield from _fitting(rows[middle:])


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
        await asyncio.to_thread(plan.say, "info", cleaned(line.text), {"console": line.level})
    if came.error:
        passing = came.error.word in {"unavailable", "crashed"}
        raise SlurpError("code", cleaned(f"The code failed: {came.error}"), retry=passing)
    if not isinstance(came.value, list):
        raise SlurpError("code", NO_ROWS.format(_called(came.value)))
    return came.value


def _called(value: Any) -> str:
    if value is None:
        return "nothing"
    return {dict: "an object", str: "a text", bool: "a boolean"}.get(type(value), "a number")
