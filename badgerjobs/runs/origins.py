"""What a run came from, where another app knows that: a literal table, cause → what tells it."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from django.utils.module_loading import import_string

from badgerjobs.runs.models import Cause, Run

ORIGINS: dict[str, str] = {Cause.WEBHOOK: "webhooks.deliveries.origins.delivery_of"}


class Origin(NamedTuple):
    """What it came from in words, and the address of the page of that."""

    words: str
    address: str


@cache
def origin_finder(cause: str) -> Callable[[Run], Origin | None]:
    """What tells of runs with this cause. Raises KeyError for one without, ImportError for a row that leads nowhere."""
    found = import_string(ORIGINS[cause])
    if not callable(found):
        raise ImportError(f"{ORIGINS[cause]} cannot be called.")  # noqa: TRY004  the row is wrong, not a value
    return found  # type: ignore[no-any-return]


def origin_of(run: Run) -> Origin | None:
    """What this run came from; None where its cause says all, or that is not kept any more."""
    return origin_finder(run.cause)(run) if run.cause in ORIGINS else None
