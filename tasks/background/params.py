"""What the code of a background task is given for one iteration, and how it says what came of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from badgerjobs.runs.processes.came import Came
from tasks.background.context import Context
from tasks.background.definitions import Definition, id_of
from tasks.background.faults import failure_of
from tasks.background.inputs import plain_input
from tasks.background.responses import Response
from tasks.background.store import Store

CLOSE_S = 180
NO_ANSWER = "It must end with `return params.response.done()`, or with continue_(), error() or aborted() in its place."


class Link(Protocol):
    """How an iteration reaches the outside. Each call is made at once."""

    def is_aborted(self) -> bool:
        """Whether the run is not to go on: somebody aborted it, or another worker has it."""

    def log(self, level: str, message: str, data: Any) -> None:
        """Write a line. `level` is info or error; `data` is JSON, of an error {data, error}."""

    def progress(self, fraction: float | None, message: str) -> None:
        """Say how far it is, from 0 to 1."""

    def trigger(self, definition: str, input: Any, *, name: str, delay: float) -> Any:  # noqa: A002
        """Begin a child, and give it."""

    def children(self, definition: str | None) -> Sequence[Any]:
        """The children so far, oldest first."""

    def now(self) -> datetime:
        """What time it is."""


class Params:
    """One iteration: its input, its answer, and what it may ask and do meanwhile.

    `input` is a copy: what is changed in it stays here. `ends_at` is when the iteration is stopped if it is not over.
    `iteration` and `attempt` count from 1; the attempts are those of the run.
    """

    def __init__(  # noqa: PLR0913  one call makes it
        self,
        *,
        definition: Definition,
        context: Context,
        link: Link,
        input: Mapping[str, Any] | None,  # noqa: A002  it is called so
        output: Mapping[str, Any] | None,
        ends_at: datetime,
        id: UUID | None = None,  # noqa: A002
        name: str = "",
        iteration: int = 1,
        attempt: int = 1,
    ) -> None:
        self.id, self.name, self.definition = id, name or definition.title, definition
        self.iteration, self.attempt = iteration, attempt
        self.context = context
        self.store = Store(input, output, link)
        self.input = self.store.get_input()
        self.response = Response(link.now)
        self._link, self._ends_at = link, ends_at

    def is_aborted(self) -> bool:
        """Whether somebody aborted the run. Asked anew each time."""
        return self._link.is_aborted()

    def is_close_to_timeout(self, seconds: float = CLOSE_S) -> bool:
        """Whether fewer seconds are left than these."""
        return self.remaining_seconds() < seconds

    def remaining_seconds(self) -> float:
        """How many seconds are left until the iteration is stopped; 0 when none are."""
        return max(0.0, (self._ends_at - self._link.now()).total_seconds())

    def trigger(self, definition: Any, input: Any = None, *, name: str = "", delay: float = 0) -> Any:  # noqa: A002
        """Begin a child of this run, after `delay` seconds, and give it. An iteration that is repeated finds it."""
        given = plain_input(input)
        return self._link.trigger(id_of(definition), given, name=str(name), delay=delay)

    def came_of(self, returned: Any) -> Came:
        """What is to be kept of what `run` returned: all the input and output, as they are now."""
        if isinstance(returned, Came):
            return self.store.completed(returned)
        what = "nothing" if returned is None else f"an object of the type {type(returned).__name__}"
        return self.failed({"message": f"`run` returned {what}. {NO_ANSWER}", "code": "TASK_RESPONSE_ERROR"})

    def failed(self, error: str | BaseException | Mapping[str, Any]) -> Came:
        """What is to be kept of what `run` raised."""
        said = failure_of(error)
        return self.store.completed(Came("error", said["message"], error=said))
