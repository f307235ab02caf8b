"""What triggering, aborting and deleting refuse, in the words and codes of Webiny's page."""

from collections.abc import Mapping
from typing import Any


class BackgroundTaskError(Exception):
    """Refused: a `code` for machines, a sentence for people, and what belongs to it as JSON."""

    def __init__(self, code: str, message: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = dict(data or {})


class WrongInputError(BackgroundTaskError):
    """An input that its definition does not take: the `invalidFields` of its data are fields of the input."""

    def __init__(self, message: str, fields: Mapping[str, Any]) -> None:
        super().__init__(INVALID, message, {"invalidFields": dict(fields)})


NO_DEFINITION = "TASK_DEFINITION_ERROR"
NOT_FOUND = "TASK_NOT_FOUND"
CANNOT_ABORT = "TASK_ABORT_ERROR"
CANNOT_TRIGGER = "TASK_TRIGGER_ERROR"
CANNOT_DELETE = "TASK_DELETE_ERROR"
MAX_DELAY = "MAX_DELAY_ERROR"
INVALID = "VALIDATION_FAILED_INVALID_FIELDS"
