"""Definitions for tests, and what stands in for the world around an iteration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tasks.background.context import Context, Owner, Services, Workspace
from tasks.background.definitions import Definition
from tasks.background.params import Params

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class FakeLink:
    """Remembers what it was asked for."""

    time: datetime = NOW
    aborted: bool = False
    lines: list[tuple[str, str, Any]] = field(default_factory=list)
    steps: list[tuple[float | None, str]] = field(default_factory=list)
    triggered: list[tuple[str, Any, str, float]] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)

    def is_aborted(self) -> bool:
        return self.aborted

    def log(self, level: str, message: str, data: Any) -> None:
        self.lines.append((level, message, data))

    def progress(self, fraction: float | None, message: str) -> None:
        self.steps.append((fraction, message))

    def trigger(self, definition: str, input: Any, *, name: str, delay: float) -> Any:  # noqa: A002
        self.triggered.append((definition, input, name, delay))
        return f"child {len(self.triggered)}"

    def children(self, definition: str | None) -> list[Any]:
        self.asked.append(definition)
        return ["a child"]

    def now(self) -> datetime:
        return self.time


def a_definition(**fields: Any) -> Definition:
    """One that does nothing, unless it is said what."""
    return Definition(**{"id": "syncArticles", "title": "Sync articles", "run": print, **fields})


def a_context() -> Context:
    owner = Owner(7, "Shop", Workspace(3, "Alice's"))
    return Context(owner, settings=None, services=Services(owner))


def some_params(
    link: FakeLink | None = None,
    *,
    input: Mapping[str, Any] | None = None,  # noqa: A002
    output: Mapping[str, Any] | None = None,
    seconds: float = 900,
    **more: Any,
) -> Params:
    """The params of an iteration that may take so many seconds from now."""
    link = link or FakeLink()
    definition = more.pop("definition", None) or a_definition()
    return Params(
        definition=definition,
        context=a_context(),
        link=link,
        input=input,
        output=output,
        ends_at=link.time + timedelta(seconds=seconds),
        **more,
    )


class MuteError(Exception):
    """One that cannot be shown."""

    def __str__(self) -> str:
        raise ValueError
