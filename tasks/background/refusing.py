"""How what is asked of background tasks wrongly is refused."""

from typing import Any
from uuid import UUID

from badgerjobs.lib.storable import cleaned
from tasks.background import errors
from tasks.background.errors import BackgroundTaskError
from tasks.background.snapshot import BackgroundTask

BAD_CURSOR = "This is no cursor of this list: give that of the page before, and the same sort; or none, to begin anew."


def invalid(field: str, message: str) -> BackgroundTaskError:
    """A field that was given wrongly."""
    said = {"code": "invalid", "message": message, "data": {"path": [field]}}
    return BackgroundTaskError(errors.INVALID, message, {"invalidFields": {field: said}})


def bad_cursor() -> BackgroundTaskError:
    """A page that nobody can find: to give the first one in its place would let who reads on go round and round."""
    return invalid("after", BAD_CURSOR)


def id_in(given: Any) -> UUID:
    """The id of a task that is named by it, or by itself. Raises BackgroundTaskError for what is none."""
    if isinstance(given, BackgroundTask):
        return given.id
    if isinstance(given, UUID):
        return given
    try:
        return UUID(str(given))
    except ValueError:
        name = cleaned(str(given))[:100]
        raise BackgroundTaskError(errors.NOT_FOUND, f'Task "{name}" does not exist.', {"id": name}) from None
