"""How an iteration ends: `params.response`."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from badgerjobs.lib.json_copies import copied, word_of
from badgerjobs.runs.processes.came import Came
from tasks.background.faults import error_of, line
from tasks.background.inputs import NO_OBJECT

# 355 days.
LONGEST_WAIT_S = 30_672_000
SHORTEST_WAIT_S = 1

DONE, CONTINUING, ABORTED = "Task done.", "Task continuing.", "Task aborted."


class Response:
    """Each of these is to be returned by `run`. What is given is copied, and must be JSON: NotJSONError otherwise."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def done(self, message: str | Mapping[str, Any] = "", output: Mapping[str, Any] | None = None) -> Came:
        """The run succeeded. `output` is merged over what the store has; it may be given alone: `done({"rows": 3})`."""
        if isinstance(message, Mapping):
            if output is not None:
                raise TypeError("done() takes one output: done(message, output), or done(output).")
            return Came("done", DONE, output=_object(message, "The output"))
        given: Any = message  # nobody checks the types of those who write tasks
        if not isinstance(given, str):
            raise TypeError(f"done() takes a message, which is a text, and an output; not {type(given).__name__}.")
        return Came("done", line(given) or DONE, output=_object(output, "The output"))

    def continue_(
        self,
        input: Mapping[str, Any] | None = None,  # noqa: A002  it is called so
        *,
        seconds: float | None = None,
        date: datetime | None = None,
    ) -> Came:
        """There is a further iteration, after so many seconds or at a time, with this merged over the input.

        `seconds` goes before `date`. Less than 1 s, and what is past, is no wait; none is longer than 355 days.
        """
        return Came("continue", CONTINUING, input=_object(input, "The input"), wait_s=self._wait_s(seconds, date))

    def error(self, error: str | BaseException | Mapping[str, Any]) -> Came:
        """The run failed: a sentence, an exception, or {message, code, data}."""
        said = error_of(error)
        return Came("error", said["message"], error=said)

    def aborted(self) -> Came:
        """The run is over: somebody aborted it, or it sees itself that there is no more to do."""
        return Came("aborted", ABORTED)

    def _wait_s(self, seconds: Any, date: Any) -> float:
        if seconds is None and date is not None:
            seconds = (_with_zone(date) - self._now()).total_seconds()
        if seconds is None:
            return 0.0
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or math.isnan(seconds):
            raise TypeError(f"continue_() waits for a number of seconds, and not for {seconds!r}.")
        return 0.0 if seconds < SHORTEST_WAIT_S else float(min(seconds, LONGEST_WAIT_S))


def _object(value: Mapping[str, Any] | None, what: str) -> Any:
    """A copy of an object; None for None."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise TypeError(NO_OBJECT.format(what, word_of(value)))
    return copied(dict(value), what)


def _with_zone(date: Any) -> datetime:
    if not isinstance(date, datetime) or date.utcoffset() is None:
        raise TypeError("continue_() takes a date with a time and a zone, like datetime.now(UTC) + timedelta(hours=1).")
    return date
