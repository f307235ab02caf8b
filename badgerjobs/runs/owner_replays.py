"""Replays that the owners of runs make themselves, because they account for runs as well."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from django.utils.module_loading import import_string

from badgerjobs.runs.kinds import REPLAYED_BY_OWNERS
from badgerjobs.runs.models import FINAL, Run, State


@dataclass(frozen=True, slots=True)
class Replays:
    """How an owner replays runs of a kind.

    `make(runs, now=, step=, start=)` gives those of these runs a new one that may be replayed, as `making.replay` does;
    their runnables are locked. `why_not(run)` says in a sentence why it made none of this one.
    """

    make: Callable[..., list[tuple[UUID, str]]]
    why_not: Callable[[Run], str]


def replay_by_owners(run_ids: Sequence[UUID], *, now: datetime, step: float, start: int) -> list[tuple[UUID, str]]:
    """As `making.replay`, of those among these whose owners replay them."""
    over = [state for state in FINAL if state != State.SKIPPED]
    found = Run.objects.filter(pk__in=run_ids, kind__in=REPLAYED_BY_OWNERS, state__in=over)
    by_kind: dict[str, list[Run]] = {}
    for run in found.only("kind", "application_id", "input").order_by("pk"):
        by_kind.setdefault(run.kind, []).append(run)
    made: list[tuple[UUID, str]] = []
    for kind, runs in by_kind.items():
        made += _replays_of(kind).make(runs, now=now, step=step, start=start + len(made))
    return made


def why_not_replayed(run: Run) -> str:
    """Why its owner does not replay it; empty where it is not the owner who does."""
    if run.kind not in REPLAYED_BY_OWNERS:
        return ""
    return _replays_of(run.kind).why_not(run)


@cache
def _replays_of(kind: str) -> Replays:
    """Raises ImportError for a row that leads nowhere."""
    replays = import_string(REPLAYED_BY_OWNERS[kind])
    if not isinstance(replays, Replays):
        raise ImportError(  # noqa: TRY004  the row is wrong, not a value
            f"{REPLAYED_BY_OWNERS[kind]} is not Replays."
        )
    return replays
