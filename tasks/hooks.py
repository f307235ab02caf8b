"""What tasks ask of jobs and webhooks, which stand above them: a literal table, verb → where it is."""

from functools import cache
from typing import Any

from django.utils.module_loading import import_string

HOOK_VERBS = {
    "fit": "webhooks.task_hooks.fit_task_hook",
    "end": "webhooks.task_hooks.end_task_hook",
    "runnables": "webhooks.task_hooks.runnables_of_task",
    "rotate": "webhooks.task_hooks.rotate_task_hook",
    "address": "webhooks.task_hooks.address_of_task",
    "page": "webhooks.task_pages.hook_on_page",
    "schedules": "jobs.background_schedules.schedules_of",
    "starters": "webhooks.starters.starters_of",
}


@cache
def hook_verb(name: str) -> Any:
    """The function in this row. Raises ImportError for a row that leads nowhere."""
    found = import_string(HOOK_VERBS[name])
    if not callable(found):
        raise ImportError(f"{HOOK_VERBS[name]} cannot be called.")  # noqa: TRY004  the row is wrong, not a value
    return found
