"""What an iteration keeps: `params.store`. Input and output are kept when it ends, the rest at once."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from badgerjobs.lib.json_copies import copied, word_of
from badgerjobs.runs.processes.came import Came
from tasks.background.definitions import id_of
from tasks.background.faults import diagnostic, error_of, line
from tasks.background.inputs import NO_OBJECT, fitting_input
from tasks.background.outputs import bounded

if TYPE_CHECKING:
    from tasks.background.params import Link

LONGEST_PROGRESS = 500

# What is merged over what there is, or a function of that which gives all that is to be there.
Change = Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]]


class Store:
    """The run's input and output as this iteration has them by now, its progress, its log and its children."""

    def __init__(self, input: Mapping[str, Any] | None, output: Mapping[str, Any] | None, link: "Link") -> None:  # noqa: A002
        self._input = _changed({}, input or {}, "The input")
        self._output = _changed({}, output or {}, "The output")
        self._link = link

    def get_input(self) -> dict[str, Any]:
        """A copy of the input."""
        return _changed({}, self._input, "The input")

    def update_input(self, change: Change) -> None:
        """Merge an object over the input, or put what a function makes of it in its place. Raises NotJSONError."""
        self._input = fitting_input(_changed(self._input, change, "The input"))

    def get_output(self) -> dict[str, Any]:
        """A copy of the output: empty until somebody has written one."""
        return _changed({}, self._output, "The output")

    def update_output(self, change: Change) -> None:
        """Merge an object over the output, or put what a function makes of it in its place. Raises NotJSONError."""
        self._output = _changed(self._output, change, "The output")

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Show how far the run is: a fraction from 0 to 1, None where nobody knows, and a few words."""
        self._link.progress(None if fraction is None else _fraction(fraction), line(message)[:LONGEST_PROGRESS])

    def info(self, message: str, data: Any = None) -> None:
        """Write a line into the run's log."""
        self._link.log("info", line(message), diagnostic(data))

    def error(self, message: str, data: Any = None, error: Any = None) -> None:
        """Write a line about something that went wrong, which ends nothing. `error` may be an exception."""
        self._link.log(
            "error", line(message), {"data": diagnostic(data), "error": None if error is None else error_of(error)}
        )

    def get_status(self) -> str:
        """`running`, or `aborted` once somebody has aborted the run. Asked anew each time."""
        return "aborted" if self._link.is_aborted() else "running"

    def list_children(self, definition: Any = None) -> Sequence[Any]:
        """The runs that this one has triggered, in all its iterations, oldest first; those of one definition."""
        return self._link.children(None if definition is None else id_of(definition))

    def completed(self, came: Came) -> Came:
        """The same with all of the input and output: what the answer has is merged over them, as the word has it."""
        if came.error is not None:
            output = bounded({"error": came.error})
            error = output.get("error") or {**_without_stack(came.error), "data": output}
            return replace(came, input=self._input, output=output, error=error)
        given = fitting_input({**self._input, **(came.input or {})})
        return replace(came, input=given, output=bounded({**self._output, **(came.output or {})}))


def _fraction(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or math.isnan(given):
        raise TypeError(f"progress() takes a fraction from 0 to 1, or None, and not {given!r}.")
    return min(1.0, max(0.0, float(given)))


def _changed(now: dict[str, Any], change: Change, what: str) -> dict[str, Any]:
    if callable(change):
        made = change(copied(now, what))
        if not isinstance(made, Mapping):
            raise TypeError(f"{what} must be an object, and the function made {word_of(made)} of it.")
        return dict(copied(dict(made), what))
    if not isinstance(change, Mapping):
        raise TypeError(NO_OBJECT.format(what, word_of(change)))
    return {**now, **copied(dict(change), what)}


def _without_stack(error: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in error.items() if name != "stack"}
