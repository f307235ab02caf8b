"""What all pulls do alike: rows into batches, what is remembered of them, and the placeholders that only they have."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

from badgerjobs.outbound.calls import Answer, Call
from badgerjobs.sources.means import Means
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.rows.batches import Batches
from badgerjobs.sources.rows.pulling import Given, PullError
from badgerjobs.sources.rows.remembering import Memory, start_of
from badgerjobs.sources.rows.streams import Stream, opened
from badgerjobs.sources.variables import lack_of

# Rows, and of how many bytes, about.
Chunk = tuple[list[Any], int]


class Pull(ABC):
    """A pull whose kind gives `chunks`: rows as they come, few or many."""

    def __init__(self, source: DataSource, given: Given, means: Means) -> None:
        self.source, self.given, self.means = source, given, means
        self.configuration: Mapping[str, Any] = source.configuration
        self.remembered: Any = given.remembered
        self.found: dict[str, Any] = {}
        # How much of the first answer is kept, to be shown, and that: its body unpacked, as far as it is kept.
        self.keeps = 0
        # How many rows are wanted, where that is known before.
        self.enough: int | None = None
        self.answer: Answer | None = None

    @abstractmethod
    def chunks(self) -> AsyncGenerator[Chunk, None]:
        """The rows as they come. Raises PullError."""

    async def batches(self) -> AsyncGenerator[list[Any], None]:
        """See `Pulling`."""
        memory, batches = Memory(self.configuration, self.given.remembered), Batches()
        async with aclosing(self.chunks()) as chunks:
            async for rows, length in chunks:
                memory.see(rows)
                for batch in batches.add(rows, length):
                    yield batch
        for batch in batches.rest():
            yield batch
        self.remembered = memory.value()

    async def settle(self, *, kept: bool) -> None:  # noqa: B027  few need it
        """See `Pulling`. Whoever can be asked again need not know."""

    @asynccontextmanager
    async def opened(self, call: Call, *, patient: bool = False) -> AsyncIterator[Stream]:
        """An answer as it comes. See `streams.opened`."""
        async with opened(self.source, call, self.means, self.given.now, patient=patient) as stream:
            if self.keeps and self.answer is None:
                self.answer = replace(stream.head, body=await stream.start(self.keeps))
            yield stream

    def values(self) -> Mapping[str, Any]:
        """What placeholders become. Raises PullError where a value is missing."""
        if lack := lack_of(self.source, self.given.values):
            raise PullError("variables", lack, retry=False)
        return {**self.given.values, **start_of(self.configuration, self.given.remembered)}
