"""What follows in another app when runs of a kind are over: in the transaction that ends them, so always."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from django.utils.module_loading import import_string

from badgerjobs.runs.kinds import FOLLOWED
from badgerjobs.runs.models import State


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that is over, since `now`, and how it ended."""

    run_id: UUID
    application_id: int
    kind: str
    state: State
    now: datetime


@dataclass(frozen=True, slots=True)
class Following:
    """What is done when runs of a kind are over: `ended` gets all of a batch, which are locked."""

    ended: Callable[[Sequence[Ended]], None]


def follow(ended: Iterable[Ended]) -> None:
    """Do what follows from these, within the caller's transaction. It costs nothing where nothing does."""
    by_kind: dict[str, list[Ended]] = {}
    for one in ended:
        if one.kind in FOLLOWED:
            by_kind.setdefault(one.kind, []).append(one)
    for kind, those in by_kind.items():
        following_of(kind).ended(those)


@cache
def following_of(kind: str) -> Following:
    """Raises ImportError for a row that leads nowhere."""
    found = import_string(FOLLOWED[kind])
    if not isinstance(found, Following):
        raise ImportError(f"{FOLLOWED[kind]} is not a Following.")  # noqa: TRY004  the row is wrong, not a value
    return found
