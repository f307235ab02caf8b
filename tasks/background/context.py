"""What code of a background task may reach: its application, the settings, and the verbs of `tasks.background`."""

from dataclasses import dataclass
from functools import partial
from typing import Any


@dataclass(frozen=True, slots=True)
class Workspace:
    """Who owns the application."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The application that a run belongs to."""

    id: int
    name: str
    workspace: Workspace


class Services:
    """The verbs of `tasks.background` in one application: what belongs to others is not found."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def trigger(self, definition: Any, input: Any = None, *, name: str = "", delay: float = 0) -> Any:  # noqa: A002
        """Begin a run, which is no child of this one. `delay` in seconds."""
        return self._verb("trigger")(definition, input, name=name, delay=delay)

    def abort(self, id: Any, *, message: str = "", cascade: bool = True) -> Any:  # noqa: A002
        """End a run that is not over, and its children."""
        return self._verb("abort")(id, message=message, cascade=cascade)

    def delete(self, id: Any) -> Any:  # noqa: A002
        """Delete a run that is over."""
        return self._verb("delete")(id)

    def get(self, id: Any) -> Any:  # noqa: A002
        """One run."""
        return self._verb("get")(id)

    def list(self, **asked: Any) -> Any:
        """The runs that are asked for."""
        return self._verb("list")(**asked)

    def logs(self, *asked: Any, **more: Any) -> Any:
        """The log lines that are asked for."""
        return self._verb("logs")(*asked, **more)

    def _verb(self, name: str) -> Any:
        from tasks import background  # noqa: PLC0415  which imports this

        return partial(getattr(background, name), self._application)


@dataclass(frozen=True, slots=True)
class Context:
    """What `run` and each hook is given. `settings` are Django's."""

    application: Owner
    settings: Any
    services: Services


def context_of(application: Any) -> Context:
    """The context of an application's row."""
    from django.conf import settings  # noqa: PLC0415  definitions are read without Django

    workspace = application.workspace
    owner = Owner(application.id, application.name, Workspace(workspace.id, workspace.name))
    return Context(owner, settings, Services(application))
