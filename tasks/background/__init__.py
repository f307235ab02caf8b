"""Background tasks that are defined in code: what those who write them import."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tasks.background.definitions import Definition, background_task, private_background_task
from tasks.background.params import Params

if TYPE_CHECKING:
    from tasks.background.errors import BackgroundTaskError
    from tasks.background.reading import get, list, logs  # noqa: A004  they are called so
    from tasks.background.services import abort, delete, trigger

__all__ = [
    "BackgroundTaskError",
    "Definition",
    "Params",
    "abort",
    "background_task",
    "delete",
    "get",
    "list",
    "logs",
    "private_background_task",
    "trigger",
]

# These need Django's models: they are fetched when they are asked for, so that definitions can be read before.
_LATER = {
    "BackgroundTaskError": "tasks.background.errors",
    "abort": "tasks.background.services",
    "delete": "tasks.background.services",
    "get": "tasks.background.reading",
    "list": "tasks.background.reading",
    "logs": "tasks.background.reading",
    "trigger": "tasks.background.services",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)
