"""Definitions whose code does nothing, for tests of what is around it."""

from typing import Any

from tasks.background import background_task, private_background_task


def nothing(params: Any) -> None: ...


def hook(context: Any, task: Any) -> None: ...


def define(**fields: Any) -> None:
    """A public one, `syncArticles` unless told otherwise."""
    background_task(**{"id": "syncArticles", "title": "Sync articles", **fields})(nothing)


def define_private(**fields: Any) -> None:
    """One that code alone may trigger."""
    private_background_task(**{"id": "secret", "title": "Secret", **fields})(nothing)
