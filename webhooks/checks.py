"""What must be right before anything starts."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from webhooks.actions import ACTIONS, action_of
from webhooks.verification import SCHEMES, scheme_of


@register()
def every_row_of_hooks_leads_somewhere(**_: Any) -> list[CheckMessage]:
    """Each row of the tables of actions and of schemes leads to one."""
    errors: list[CheckMessage] = []
    tables: Any = (("The action", ACTIONS, action_of), ("The verification", SCHEMES, scheme_of))
    for what, table, find in tables:
        for name, path in table.items():
            try:
                find(name)
            except ImportError as error:
                errors.append(Error(f"{what} {str(name)!r} is not at {path}: {error}", id="webhooks.E001"))
    return errors
