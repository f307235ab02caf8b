"""What came of a call: a value, or one error, in a word for machines and a sentence for people."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from badgerjobs.lib.finite_numbers import finite
from badgerjobs.lib.javascript import frames
from badgerjobs.lib.javascript.spent import on_the_wall
from badgerjobs.lib.json_depth import is_deeper

Word = Literal[
    "syntax",
    "thrown",
    "timeout",
    "memory",
    "output",
    "nothing",
    "unserialisable",
    "pending",
    "input",
    "crashed",
    "busy",
    "unavailable",
]
Level = Literal["debug", "log", "info", "warn", "error"]

HEADER_LINES = 2  # what V8 puts before a function's body
MOST_LEVELS = 200  # what keeps, sends or shows a value may walk it by recursion
_FRAME = re.compile(r"body\.js:(\d+):(\d+)")
_SYNTAX = re.compile(r"^[^\n]*?:(\d+): (?:SyntaxError: )?([^\n]*)\n[^\n]*\n( *)\^", re.DOTALL)


@dataclass(frozen=True)
class Error:
    """`name` is the thrown error's (`TypeError`), or empty. `line` and `column` begin at 1; None: unknown."""

    word: Word
    message: str
    name: str = ""
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = "" if self.line is None else f" (line {self.line}, column {self.column})"
        return f"{self.name}: {self.message}{place}" if self.name else f"{self.message}{place}"


@dataclass(frozen=True)
class Line:
    """One line that the body wrote to the console."""

    level: Level
    text: str


@dataclass(frozen=True)
class Result:
    """`value` is what the body returned when `error` is None.

    `console` has the first lines, `dropped` counts those that were too many; both are empty when the sandbox was
    killed. `seconds` is how long the body ran, without waiting for its turn. `length` is that of all that the sandbox
    answered, in bytes: the value has no more.
    """

    value: Any = None
    error: Error | None = None
    console: tuple[Line, ...] = ()
    dropped: int = 0
    seconds: float = 0.0
    length: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Limits:
    """Seconds of the processor, bytes resident beyond those of an empty sandbox, bytes of the value as JSON."""

    timeout_s: float
    memory_bytes: int
    output_bytes: int


def killed(word: int, limits: Limits, seconds: float) -> Result:
    """Say why the keeper ended a sandbox without an answer of its own."""
    late = word == frames.TIMEOUT and seconds >= on_the_wall(limits.timeout_s)
    return Result(error=_starved(limits) if late else _KILLED.get(word, _crashed)(limits), seconds=seconds)


def refused(word: Word, message: str) -> Result:
    """Say why a call was not even begun."""
    return Result(error=Error(word, message))


def answered(answer: bytes, limits: Limits, *, body: str, seconds: float) -> Result:
    """Read a sandbox's answer. It may be hostile: what is not as it must be counts as a crash of the sandbox."""
    try:
        return _result(answer, _said(answer), limits, body, seconds)
    except RecursionError:
        error = _TOO_DEEP
    except _NumberError:
        error = Error("unserialisable", "A number in the returned value is too large, or has too many digits.")
    except Exception:  # whatever it was, it came out of a sandbox
        error = _crashed(limits)
    return Result(error=error, seconds=seconds)


class _NumberError(Exception):
    """A number that nobody could keep."""


def _said(answer: bytes) -> Any:
    try:
        return json.loads(answer, parse_float=finite, parse_constant=finite)
    except (json.JSONDecodeError, UnicodeError):
        raise
    except ValueError:  # of infinity, and the one that Python's whole numbers know
        raise _NumberError from None


def _result(answer: bytes, said: Any, limits: Limits, body: str, seconds: float) -> Result:
    if "syntax" in said:
        return Result(error=_syntax(str(said["syntax"]), body), seconds=seconds)
    console = tuple(Line(_level(level), str(text)) for level, text in said["console"])
    error = _error(said["error"], limits, body) if "error" in said else _too_much(answer, limits, said)
    return Result(None if error else said["value"], error, console, int(said["dropped"]), seconds, len(answer))


def _level(level: object) -> Level:
    return next((known for known in get_args(Level) if known == level), "log")


def _too_much(answer: bytes, limits: Limits, said: Any) -> Error | None:
    if is_deeper(said["value"], MOST_LEVELS):
        return _TOO_DEEP
    # The answer is longer than its value: only one that could be too long is measured.
    if len(answer) > limits.output_bytes:
        value = json.dumps(said["value"], ensure_ascii=False, separators=(",", ":"))
        if len(value.encode("utf-8", "surrogatepass")) > limits.output_bytes:
            return _output(limits)
    return None


def _error(said: Any, limits: Limits, body: str) -> Error:  # noqa: PLR0911  one for each word
    word, name, message, stack = (str(said[member]) for member in ("word", "name", "message", "stack"))
    match word:
        case "thrown":
            line, column = _place(_FRAME.search(stack), body)
            said = message if name or not message else f"threw {message}"  # a value like any other, and no error
            return Error("thrown", said or "The code threw something that says nothing.", name, line, column)
        case "syntax":
            return Error("syntax", "The code is not the inside of one function: " + message, name or "SyntaxError")
        case "unserialisable":
            why = _first_line(message) or "what it threw says nothing."
            return Error("unserialisable", f"The returned value cannot be written as JSON: {why}")
        case "nothing":
            return Error("nothing", "The code returned nothing: it must end with return and a value (null is one).")
        case "pending":
            return Error("pending", "The code awaits something that never comes: there are no timers and no I/O here.")
        case "output":
            return _output(limits)
    return _crashed(limits)


def _syntax(said: str, body: str) -> Error:
    """Read V8's message: the line with its number, the source, and a mark below the place."""
    found = _SYNTAX.match(said)
    if found is None:
        return Error("syntax", _first_line(said) or "This is not JavaScript.", "SyntaxError")
    line, column = int(found[1]) - HEADER_LINES, len(found[3]) + 1
    lines = _lines(body)
    if line > len(lines):  # the brace that closes what the body left open
        return Error("syntax", "The code ends too early: something is not closed.", "SyntaxError", *_end(lines))
    return Error("syntax", found[2], "SyntaxError", max(line, 1), column)


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _place(found: re.Match[str] | None, body: str) -> tuple[int | None, int | None]:
    if found is None or len(found[1]) > 9 or len(found[2]) > 9:
        return None, None
    line, column = int(found[1]) - HEADER_LINES, int(found[2])
    return (line, column) if 1 <= line <= len(_lines(body)) else (None, None)


def _lines(body: str) -> list[str]:
    return re.split(r"\r\n|[\n\r\u2028\u2029]", body)  # JavaScript's, not Python's


def _end(lines: list[str]) -> tuple[int, int]:
    return len(lines), len(lines[-1]) + 1


def _timeout(limits: Limits) -> Error:
    return Error("timeout", f"The code was stopped after {limits.timeout_s * 1000:,.0f} ms.")


def _starved(limits: Limits) -> Error:
    given = f"{limits.timeout_s * 1000:,.0f} ms"
    late = f"{on_the_wall(limits.timeout_s) * 1000:,.0f} ms"
    return Error("timeout", f"The code was stopped after {late}: the machine was too busy to give it its {given}.")


def _memory(limits: Limits) -> Error:
    return Error("memory", f"The code was stopped: it took more than {limits.memory_bytes / 2**20:,.0f} MB of memory.")


def _output(limits: Limits) -> Error:
    return Error("output", f"The returned value is longer than {limits.output_bytes:,} bytes of JSON.")


def _crashed(_: Limits) -> Error:
    return Error("crashed", "The sandbox ended while it ran the code. Nothing else was touched.")


_TOO_DEEP = Error("unserialisable", f"The returned value is nested too deeply: {MOST_LEVELS} levels are kept.")
_KILLED = {frames.TIMEOUT: _timeout, frames.MEMORY: _memory, frames.OUTPUT: _output}
