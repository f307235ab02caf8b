"""What must be right before anything starts."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from badgerjobs.sources.models import SourceType
from badgerjobs.sources.types import SOURCE_TYPES, type_of
from badgerjobs.sources.uses import USES, use_of


@register()
def every_row_of_sources_leads_somewhere(**_: Any) -> list[CheckMessage]:
    """Each type has a row in the table, and each row leads to a `Type`; each of what uses sources to a `Use`."""
    missing = [name for name in SourceType.values if name not in SOURCE_TYPES]
    errors: list[CheckMessage] = [
        Error(f"The type of source {name!r} has no row in SOURCE_TYPES.", id="sources.E001") for name in missing
    ]
    for what, table, find in (("The type of source", SOURCE_TYPES, type_of), ("What uses sources,", USES, use_of)):
        for name, path in table.items():
            try:
                find(name)
            except ImportError as error:
                errors.append(Error(f"{what} {name!r} is not at {path}: {error}", id="sources.E002"))
    return errors
