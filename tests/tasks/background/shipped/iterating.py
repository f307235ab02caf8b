"""Makes iterations of a shipped definition in this process, one behind the other."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from badgerjobs.runs.models import State
from badgerjobs.runs.processes.came import Came
from badgerjobs.workspaces.models import Application
from tasks.background.calling import called
from tasks.background.context import context_of
from tasks.background.definitions import definition_of
from tasks.background.inputs import validated
from tasks.background.params import Params
from tests.factories import make_background_run
from tests.tasks.background.definitions_of import FakeLink


@dataclass(frozen=True)
class Child:
    id: UUID


@dataclass
class Parenting(FakeLink):
    """Remembers the children that it was asked for: definition, input and name of each."""

    made: list[tuple[str, Any, str]] = field(default_factory=list)

    def trigger(self, definition: str, input: Any, *, name: str, delay: float) -> Child:  # noqa: A002, ARG002
        self.made.append((definition, input, name))
        return Child(uuid4())


@dataclass
class Iterations:
    """A run of a definition, and what its iterations left so far."""

    application: Application
    definition: str
    given: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] = field(default_factory=dict)
    link: Parenting = field(default_factory=Parenting)

    def __post_init__(self) -> None:
        found = definition_of(self.definition)
        assert found
        self.found, self.given = found, validated(found, self.given)
        self.run = make_background_run(self.application, State.RUNNING, definition=self.definition)

    def again(self) -> Came:
        """One iteration, of which nothing is kept."""
        params = Params(
            definition=self.found, context=context_of(self.application), link=self.link, input=self.given,
            output=self.output, ends_at=self.link.time + timedelta(seconds=900), id=self.run.pk,
        )  # fmt: skip
        return params.came_of(called(self.found.run, params))

    def next(self) -> Came:
        """One iteration, and what comes of it."""
        came = self.again()
        self.given, self.output = came.input, came.output
        return came

    def to_the_end(self, most: int = 20) -> Came:
        """Iterations until it is over."""
        for _ in range(most):
            if (came := self.next()).word != "continue":
                return came
        raise AssertionError("it never ends")
