"""What must be right before anything starts."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from jobs.events.types import EVENT_TYPES, type_of
from jobs.models import EventType


@register()
def every_type_of_event_is_there(**_: Any) -> list[CheckMessage]:
    """Each type has a row in the table, and each row leads to a `Type`."""
    missing = [name for name in EventType.values if name not in EVENT_TYPES]
    errors: list[CheckMessage] = [
        Error(f"The type of event {name!r} has no row in EVENT_TYPES.", id="jobs.E001") for name in missing
    ]
    for name, path in EVENT_TYPES.items():
        try:
            type_of(name)
        except ImportError as error:
            errors.append(Error(f"The type of event {name!r} is not at {path}: {error}", id="jobs.E002"))
    return errors
