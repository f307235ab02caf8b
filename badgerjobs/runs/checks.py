"""What must be right before anything starts."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from badgerjobs.runs.kinds import RUN_KINDS, kind_of


@register()
def every_kind_is_there(**_: Any) -> list[CheckMessage]:
    """Each row of the table of kinds leads to a `Kind`."""
    errors: list[CheckMessage] = []
    for name, path in RUN_KINDS.items():
        try:
            kind_of(name)
        except ImportError as error:
            errors.append(Error(f"The run kind {name!r} is not at {path}: {error}", id="runs.E001"))
    return errors
