"""Rows of JSON lines: one JSON value on each line of an answer."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from badgerjobs.lib.json_lines import JSONLines
from badgerjobs.lib.json_texts import JSONFaultError
from badgerjobs.sources.rows.one_call import call_of
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.pulls import Chunk, Pull

NO_JSON = "Line {:,} is no JSON: {} (at its character {:,})."


class LinesPull(Pull):
    """The lines of one answer."""

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """See `Pull`."""
        lines = JSONLines()
        async with self.opened(call_of(self)) as stream, aclosing(stream.texts()) as texts:
            async for text in texts:
                yield _read(lines, lambda text=text: lines.feed(text))  # type: ignore[misc]  # a default of its own
            yield _read(lines, lines.end)


def _read(lines: JSONLines, read: Callable[[], Chunk]) -> Chunk:
    try:
        return read()
    except JSONFaultError as fault:
        raise PullError("json", NO_JSON.format(lines.line, fault.clause, fault.at + 1)) from None
