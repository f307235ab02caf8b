"""Rows of JSON lines: one JSON value on each line of an answer."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing

from badgerjobs.lib.json_lines import JSONLines
from badgerjobs.lib.json_texts import JSONFaultError
from badgerjobs.sources.rows.one_call import call_of
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.pulls import Chunk, Pull
from badgerjobs.sources.rows.streams import Body

NO_JSON = "Line {:,} is no JSON: {} (at its character {:,})."


class LinesPull(Pull):
    """The lines of one text."""

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """See `Pull`."""
        lines = JSONLines()
        async with self.body() as body, aclosing(body.texts()) as texts:
            async for text in texts:
                yield _read(lines, lambda text=text: lines.feed(text))  # type: ignore[misc]  # a default of its own
            yield _read(lines, lines.end)

    def body(self) -> AbstractAsyncContextManager[Body]:
        """What the lines are in. Raises PullError."""
        return self.opened(call_of(self))


def _read(lines: JSONLines, read: Callable[[], Chunk]) -> Chunk:
    try:
        return read()
    except JSONFaultError as fault:
        raise PullError("json", NO_JSON.format(lines.line, fault.clause, fault.at + 1)) from None
