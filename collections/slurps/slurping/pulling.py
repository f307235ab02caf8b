"""The sources of a slurper, one after the other, batch by batch."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

from badgerjobs.lib import words
from badgerjobs.sources.means import Means, open_means
from badgerjobs.sources.rows.pulling import Given, PullError, pull
from slurps.slurping.plan import Batch, Plan, SlurpError

# How long a source may take to hear it. Seconds.
SETTLE_S = 10.0
AGAIN = "“{}” was not told that its rows are stored, and gives them again the next time: {}"


async def pulled(plan: Plan) -> AsyncIterator[Batch]:
    """All rows of all sources, in their order. Raises SlurpError."""
    async with open_means() as means:
        for source in plan.sources:
            async with aclosing(_of(plan, source.tag, means)) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    yield batch


async def settle(plan: Plan, kept: bool) -> None:
    """Tell each source what became of its rows. What one does not hear comes again, which is said."""
    for tag, pulling in plan.pulls.items():
        try:
            async with asyncio.timeout(SETTLE_S):
                await pulling.settle(kept=kept)
        except (PullError, TimeoutError) as error:
            why = error.sentence if isinstance(error, PullError) else "It did not answer in time."
            if kept:
                await asyncio.to_thread(plan.say, "error", AGAIN.format(tag, why), None)


async def _of(plan: Plan, tag: str, means: Means) -> AsyncIterator[Batch]:
    [source] = [source for source in plan.sources if source.tag == tag]
    began, rows = time.monotonic(), 0
    try:
        pulling = plan.pulls[tag] = pull(source, Given(plan.now, plan.values, plan.job.remembered.get(tag)), means)
        async with aclosing(pulling.batches()) as batches:
            async for batch in batches:
                rows += len(batch)
                plan.came[tag] = rows
                yield Batch(batch, tag, len(batch))
    except PullError as error:
        said = (
            f"“{tag}”, after {words.counted(rows, 'row')}: {error.sentence}" if rows else f"“{tag}”: {error.sentence}"
        )
        raise SlurpError(error.error_class, said, retry=error.retry, retry_after=error.retry_after) from None
    if pulling.remembered is not None or tag in plan.job.remembered:
        plan.remembered[tag] = pulling.remembered
    seconds = round(time.monotonic() - began, 2)
    found = {"rows": rows, "seconds": seconds, **pulling.found}
    await asyncio.to_thread(plan.say, "info", f"“{tag}” gave {words.counted(rows, 'row')} in {seconds:g} s.", found)
