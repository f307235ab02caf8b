"""What came of trying a source, or a transform alone, as its form shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from badgerjobs.lib.javascript import Line
from badgerjobs.outbound.in_words import answer_in_words
from badgerjobs.sources.answers import compact
from badgerjobs.sources.trials import SHOWN, Transformed, Trial
from badgerjobs.web.definitions import json_text

# In as few words as a head has, where no answer came for a reason of the source's own.
WORDS = {"variables": "not called", "auth": "no token"}


@dataclass(frozen=True, slots=True)
class TransformedShown:
    """A value, as JSON that is laid out, and what was written to the console."""

    done: Transformed

    @property
    def ok(self) -> bool:
        return self.done.ok

    @property
    def error(self) -> str:
        return self.done.error

    @property
    def console(self) -> tuple[Line, ...]:
        return self.done.console

    @property
    def value(self) -> str:
        return json_text.beginning(self.done.value, SHOWN)

    @property
    def value_bytes(self) -> int | None:
        """How much of it a key would keep; None where there is no value."""
        return len(compact(self.done.value).encode(errors="replace")) if self.ok else None


@dataclass(frozen=True, slots=True)
class TrialShown(TransformedShown):
    """The same, and the answer that it was made of."""

    done: Trial
    has_transform: bool = False

    @property
    def answer(self) -> str:
        """`200 OK`, `no connection`."""
        status, word = self.done.status, self.done.error_class
        return answer_in_words(status) if status else WORDS.get(word) or answer_in_words(None, word) or "failed"

    @property
    def duration_ms(self) -> int:
        return self.done.duration_ms

    @property
    def answer_bytes(self) -> int | None:
        return self.done.bytes

    @property
    def headers(self) -> Mapping[str, Any]:
        return self.done.headers

    @property
    def body(self) -> str:
        return self.done.answer

    @property
    def is_cut(self) -> bool:
        return self.done.is_cut

    @property
    def has_answer(self) -> bool:
        return self.done.bytes is not None

    @property
    def is_transformed(self) -> bool:
        """Whether there is a value that is not the answer itself."""
        return self.ok and self.has_transform

    @property
    def is_of_transform(self) -> bool:
        """Whether it was the code that failed."""
        return self.done.error_class == "transform"
