"""One answer of JSON, as rows."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

from badgerjobs.lib import words
from badgerjobs.lib.json_paths import Step
from badgerjobs.lib.json_rows import JSONRows
from badgerjobs.lib.json_texts import JSONFaultError
from badgerjobs.lib.said import quoted
from badgerjobs.outbound.calls import Call
from badgerjobs.sources.answers import sentence_of
from badgerjobs.sources.authentication import secrets_of
from badgerjobs.sources.rows.pages import NONE, Pages, Read
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.pulls import Chunk, Pull

NO_ROWS = "The answer has no rows at {}: nothing is there."
NO_JSON = "The answer is no JSON, or not all of it came: {} (after {}, at character {:,})."


class JSONPage:
    """Its rows are `chunks`; afterwards `read` says what else it was. `look` judges the rest of it."""

    def __init__(
        self, pull: Pull, call: Call, steps: Sequence[Step], pages: Pages, look: Callable[[Any], None]
    ) -> None:
        self._pull, self._call, self._pages, self._look = pull, call, pages, look
        self._document = JSONRows(steps, pages.see if pages.kind != NONE else None)
        self.read = Read(0, None, [], call.url)

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """Raises PullError."""
        pull, document = self._pull, self._document
        is_next = self._pages.read > 0
        async with pull.opened(self._call, patient=is_next) as stream:
            if stream.head.status == 204:
                return
            async with aclosing(stream.texts()) as texts:
                async for text in texts:
                    yield self._read(lambda text=text: document.feed(text))  # type: ignore[misc]  # a default of its own
            yield self._read(document.end)
            self.read = Read(document.count, document.rest, stream.head.headers, stream.head.url)
        self._look(document.rest)
        if not document.is_found:
            raise self._not_found()

    def _read(self, read: Callable[[], Chunk]) -> Chunk:
        try:
            return read()
        except JSONFaultError as fault:
            raise PullError(
                "json", NO_JSON.format(fault.clause, words.counted(self._document.count, "row"), fault.at + 1)
            ) from None

    def _not_found(self) -> PullError:
        path = self._pull.configuration.get("rows") or "$"
        sentence = sentence_of(self._document.rest)
        secrets = secrets_of(self._pull.configuration, self._call)
        said = f" It says: “{quoted(sentence, secrets)}”" if sentence else ""
        return PullError("rows", f"{NO_ROWS.format(path)}{said}")
