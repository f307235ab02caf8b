"""What the syncs of one event loop share: what sources are fetched with, and threads for statements."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from badgerjobs.lib.shares import Shares
from badgerjobs.runs.clock import Clock
from badgerjobs.runs.record import may_pass
from badgerjobs.runs.statements import Statements
from badgerjobs.sources import fetch

logger = logging.getLogger(__name__)

# For the statements of all syncs of a loop, each with a connection.
THREADS = 2
# So many keys are fetched at once by all syncs of a loop, and so many of one application: each may have megabytes in
# its hands, and what hangs holds its room until it is given up.
AT_ONCE, AT_ONCE_EACH = 300, 100
PAUSE_S = 1.0  # before the database is tried again

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Means:
    """`clock` is the database's. `rooms` are for what is being fetched, with shares for applications."""

    sources: fetch.Means
    statements: Statements
    clock: Clock
    rooms: Shares

    async def ask(self, statement: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Wait for a function that uses the database, and never give up on the server.

        What was fetched is kept until it is taken. Raises what is the statement's own fault.
        """
        while True:
            try:
                return await self.statements.run(statement, *args, **kwargs)
            except Exception as error:
                if not may_pass(error):
                    raise
                logger.exception("a sync cannot go on; trying again in %s s", PAUSE_S)
            await asyncio.sleep(PAUSE_S)


@asynccontextmanager
async def open_means() -> AsyncIterator[Means]:
    """For one event loop."""
    statements = Statements(THREADS)
    try:
        async with fetch.open_means() as sources:
            yield Means(sources, statements, Clock(), Shares(AT_ONCE, AT_ONCE_EACH))
    finally:
        await statements.hang_up()
