"""What came of trying a source, or a transform alone, as its form shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from badgerjobs.lib.csv_texts import COMMA
from badgerjobs.lib.javascript import Line
from badgerjobs.outbound.in_words import answer_in_words
from badgerjobs.sources.answers import compact
from badgerjobs.sources.trials import SHOWN, Transformed, Trial
from badgerjobs.web.definitions import json_text

# In as few words as a head has, where no answer came for a reason of the source's own.
WORDS = {"variables": "not called", "auth": "no token"}


# So many columns are shown side by side, and so much of what stands in one.
MOST_COLUMNS, CELL = 30, 80

WORDS_OF = {"decimal": "decimal comma in", "ambiguous": "text, since it could be either of two numbers:"}


def _found(name: str, value: Any) -> str:
    """Of columns, their names."""
    if name == "decimal":
        value = [column for column, mark in value.items() if mark == COMMA]
    return _short(", ".join(value) if isinstance(value, list) else value)


def _cells(row: Any, names: Sequence[str]) -> list[str]:
    if not isinstance(row, dict):
        return [_short(row)]
    return [_short(row[name]) if name in row else "" for name in names]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else compact(value)
    return text if len(text) <= CELL else f"{text[:CELL]}…"


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
    is_of_rows: bool = False

    @property
    def answer(self) -> str:
        """`200 OK`, `no connection`; `read` where nothing was called that has a status."""
        status, word = self.done.status, self.done.error_class
        if not status and self.done.ok:
            return "read"
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
    def has_value(self) -> bool:
        """Whether there is a value that a key would keep: of what was tried for its rows there is none."""
        return self.ok and not self.is_of_rows

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Each column's name, and what stands in it."""
        return [(one["name"], ", ".join(one["types"])) for one in self.done.columns[:MOST_COLUMNS]]

    @property
    def hidden_columns(self) -> int:
        """How many there are besides."""
        return max(0, len(self.done.columns) - MOST_COLUMNS)

    @property
    def rows(self) -> list[list[str]]:
        """The cells of each row, in short."""
        names = [name for name, _ in self.columns]
        return [_cells(row, names) for row in self.done.rows or ()]

    @property
    def warnings(self) -> Sequence[str]:
        return self.done.warnings if self.ok else ()

    @property
    def has_rows(self) -> bool:
        return self.ok and self.done.rows is not None

    @property
    def found(self) -> list[tuple[str, str]]:
        """What was found out, by its name."""
        return [(WORDS_OF.get(name, name), _found(name, value)) for name, value in self.done.found.items()
                if name != "types"]  # fmt: skip

    @property
    def is_transformed(self) -> bool:
        """Whether there is a value that is not the answer itself."""
        return self.has_value and self.has_transform

    @property
    def is_of_transform(self) -> bool:
        """Whether it was the code that failed."""
        return self.done.error_class == "transform"
