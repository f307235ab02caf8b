"""What came of a call of a definition's code: what `run` returns, and what the process that ran it says."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Word = Literal["done", "continue", "error", "aborted", "timeout", "crashed", "unready"]


@dataclass(frozen=True, slots=True)
class Came:
    """One word, and what belongs to it. `input` and `output` are whole, with all that the iteration changed in them.

    `wait_s`: how many seconds the next iteration waits, 0 for none. `error`: {message, code, data}, or None. The first
    four words are a definition's own; the others are said of a process that ended before it answered.
    """

    word: Word
    message: str = ""
    input: Any = None
    output: Any = None
    wait_s: float = 0.0
    error: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """The same for a line of JSON; `Came(**line)` reads it."""
        return asdict(self)
