"""What must be right before anything starts."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from tasks.hooks import HOOK_VERBS, hook_verb


@register()
def every_verb_of_hooks_is_there(**_: Any) -> list[CheckMessage]:
    """Each row of the table leads to a function."""
    errors: list[CheckMessage] = []
    for name, path in HOOK_VERBS.items():
        try:
            hook_verb(name)
        except ImportError as error:
            errors.append(Error(f"What tasks ask of hooks, {name!r}, is not at {path}: {error}", id="tasks.E001"))
    return errors
