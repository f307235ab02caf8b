"""What tasks ask of webhooks, which stand above them: a literal table, verb → where it is."""

from functools import cache
from typing import Any

from django.utils.module_loading import import_string

HOOK_VERBS = {
    "make": "webhooks.services.make_hook",
    "end": "webhooks.services.end_hook",
    "rotate": "webhooks.services.rotate_hook",
    "address": "webhooks.services.address_of",
}


@cache
def hook_verb(name: str) -> Any:
    """The function in this row. Raises ImportError for a row that leads nowhere."""
    found = import_string(HOOK_VERBS[name])
    if not callable(found):
        raise ImportError(f"{HOOK_VERBS[name]} cannot be called.")  # noqa: TRY004  the row is wrong, not a value
    return found
