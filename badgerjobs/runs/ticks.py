"""What the storeys above do at each of the system's ticks: a literal table, name → where the function is."""

from collections.abc import Callable
from functools import cache

from django.utils.module_loading import import_string

TICKS = {
    "tell": "badgerjobs.notices.telling.tell",
    "tidy": "slurps.leftovers.tidy",
}


@cache
def tick_of(name: str) -> Callable[[], object]:
    """What is done at this tick. Raises KeyError for an unknown one, ImportError for a row that leads nowhere."""
    found = import_string(TICKS[name])
    if not callable(found):
        raise ImportError(f"{TICKS[name]} cannot be called.")  # noqa: TRY004  the row is wrong, not a value
    return found  # type: ignore[no-any-return]
