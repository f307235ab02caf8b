"""Trying out, before a task is saved, which keys its pattern means and what its transform makes of a webhook."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from badgerjobs.web.limits import count
from badgerjobs.web.problems import Invalid
from badgerjobs.web.trials import PER_MINUTE, PLACES, TooManyTrialsError
from badgerjobs.workspaces.models import Application
from tasks.selection import names
from tasks.webhook_variables import NoRoomError, Transformed, TransformError, filled_pattern, try_transform

TOO_MANY_PATTERNS = f"An application tries patterns {PER_MINUTE} times a minute at most: try again soon."
TOO_OFTEN = f"An application tries transforms {PER_MINUTE} times a minute at most: try again soon."
NO_ROOM = "The sandbox had no room for it just now: try again in some seconds."


def try_pattern(
    application: Application, *, selection: str, pattern: str, variables: Mapping[str, str]
) -> tuple[list[str], int]:
    """The first thousand names that it means, and how many there are in all.

    Raises Invalid for what is not given, and TooManyTrialsError.
    """
    try:
        filled = filled_pattern(pattern, variables, selection)
    except ValueError as error:
        raise Invalid(pattern=str(error)) from None
    count_pattern(application)
    return names(application, selection, filled)


def count_pattern(application: Application) -> None:
    """Count one that is looked up, for whoever asks: it may read every name. Raises TooManyTrialsError."""
    if count(f"test-patterns:{application.pk}", window_s=60) > PER_MINUTE:
        raise TooManyTrialsError(TOO_MANY_PATTERNS)


def try_webhook(  # noqa: PLR0913
    application: Application,
    *,
    transform: str,
    body: Any,
    headers: Mapping[str, str],
    selection: str,
    pattern: str | None,
) -> dict[str, Any]:
    """What a transform makes of an example, and which keys that means. Nothing is run. Raises TooManyTrialsError."""
    tried: dict[str, Any] = dict.fromkeys(("error", "variables", "pattern", "names", "total"))
    try:
        came = transformed(application, transform, body, headers)
    except TransformError as error:
        return {**tried, "ok": False, "error": str(error), "console": error.console}
    tried |= {"variables": came.variables, "console": came.console}
    if pattern is None:
        return {**tried, "ok": True}
    try:
        filled = filled_pattern(pattern, came.variables, selection)
    except ValueError as error:
        return {**tried, "ok": False, "error": str(error)}
    found, total = names(application, selection, filled)
    return {**tried, "ok": True, "pattern": filled, "names": found, "total": total}


def transformed(application: Application, transform: str, body: Any, headers: Mapping[str, str]) -> Transformed:
    """What a transform makes of an example. Raises TransformError and TooManyTrialsError."""
    with room_for_one(application):
        return try_transform(transform, body, headers, application.workspace_id, application.pk)


@contextmanager
def room_for_one(application: Application) -> Iterator[None]:
    """Room to try a transform, for whoever asks, a program or a person: they are counted together.

    Raises TooManyTrialsError for what is tried too often, or when there is no room.
    """
    if count(f"test-transforms:{application.pk}", window_s=60) > PER_MINUTE:
        raise TooManyTrialsError(TOO_OFTEN)
    with PLACES.one(application.pk):
        try:
            yield
        except NoRoomError:
            raise TooManyTrialsError(NO_ROOM) from None
