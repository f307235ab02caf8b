"""What the syncs of one event loop share: what sources are fetched with, and threads for statements."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from badgerjobs.lib.shares import Shares
from badgerjobs.runs.clock import Clock
from badgerjobs.runs.statements import Statements
from badgerjobs.sources import fetch

# For the statements of all syncs of a loop, each with a connection.
THREADS = 2
# So many keys are fetched at once by all syncs of a loop, so many of one workspace, and of these so many of one
# application: each may have megabytes in its hands, and what hangs holds its room until it is given up.
AT_ONCE, AT_ONCE_OF_WORKSPACE, AT_ONCE_EACH = 300, 200, 100

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Means:
    """`clock` is the database's. `rooms` are for what is being fetched, with shares for workspaces and applications."""

    sources: fetch.Means
    statements: Statements
    clock: Clock
    rooms: Shares

    async def ask(self, statement: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Wait for a function that uses the database, and never give up on the server.

        What was fetched is kept until it is taken. Raises what is the statement's own fault.
        """
        return await self.statements.insist(statement, *args, **kwargs)


@asynccontextmanager
async def open_means() -> AsyncIterator[Means]:
    """For one event loop."""
    statements = Statements(THREADS)
    try:
        async with fetch.open_means() as sources:
            yield Means(sources, statements, Clock(), Shares(AT_ONCE, AT_ONCE_OF_WORKSPACE, AT_ONCE_EACH))
    finally:
        await statements.hang_up()
