"""What other apps keep of runs: a literal table, name → what deletes it when it is old or its owner is gone."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from django.utils.module_loading import import_string

# Whose runs: the column that names the owner.
Owner = Literal["runnable_id", "application_id"]

KEPT_BESIDE = {
    "syncs": "tasks.syncs.retention.SYNCS",
    "deliveries": "webhooks.deliveries.retention.DELIVERIES",
    "background": "tasks.background.retention.BACKGROUND",
}


@dataclass(frozen=True, slots=True)
class Beside:
    """Each takes a batch, and passes over what others hold.

    `end` says of what was kept for runs that go on that theirs are over, because they were aborted, overtaken or lost.
    `forget` is given columns: for each of the `applications` the id of a run of its age, `befores`, and since when it
    is too old, `cutoffs`; up to `each` rows of every one. It returns those that may have more. `leave` deletes up to so
    many rows of an owner that was deleted, and returns how many that were. Runs of the kinds `apart` are not deleted
    with the others' age: `forget` deletes them, too, by days of its own.
    """

    end: Callable[[], None]
    forget: Callable[[Mapping[str, Any]], Collection[int]]
    leave: Callable[[Owner, int, int], int]
    apart: Sequence[str] = ()


@cache
def beside_of(name: str) -> Beside:
    """What deletes this. Raises ImportError for a row that leads nowhere."""
    beside = import_string(KEPT_BESIDE[name])
    if not isinstance(beside, Beside):
        raise ImportError(f"{KEPT_BESIDE[name]} is not a Beside.")  # noqa: TRY004  the row is wrong, not a value
    return beside


def kept_beside() -> Iterator[Beside]:
    """All there are."""
    return map(beside_of, KEPT_BESIDE)
