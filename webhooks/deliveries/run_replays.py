"""A run of a delivery that is replayed where runs are replays its delivery: the new run is the newest of that."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from badgerjobs.runs.models import Cause, Queue, Run
from badgerjobs.runs.owner_replays import Replays
from webhooks.deliveries.making import make_runs
from webhooks.deliveries.services import GOES_ON, GONE, WHY_NOT
from webhooks.models import Delivery, Hook, Standing
from webhooks.querysets import REPLAYABLE


def make(runs: Sequence[Run], *, now: datetime, step: float, start: int) -> list[tuple[UUID, str]]:
    """Replay the deliveries of these runs, each once, however many of its runs are among them; the newest is named.

    The runs are in the order of their ids. Returns the new ids and their queues.
    """
    meant: dict[int, dict[UUID, UUID]] = {}
    for run in runs:
        meant.setdefault(run.application_id, {})[_delivery_of(run)] = run.pk
    made: list[tuple[UUID, str]] = []
    for application_id, repeats in meant.items():
        ids = make_runs(
            application_id, sorted(repeats), standings=REPLAYABLE, cause=Cause.REPLAY, now=now, step=step,
            start=start + len(made), repeats=repeats,
        )  # fmt: skip
        newest = Delivery.objects.filter(pk__in=ids).order_by("pk").values_list("run_id", flat=True)
        made += [(run_id, Queue.IO.value) for run_id in newest if run_id]
    return made


def why_not(run: Run) -> str:
    """What somebody is told who replays a run of a delivery that is held, or worked on."""
    delivery = Delivery.objects.for_application(run.application).filter(pk=_delivery_of(run)).first()
    if delivery is None or not Hook.objects.for_application(run.application).filter(runnable=run.runnable_id).exists():
        return GONE
    return WHY_NOT.get(Standing(delivery.standing), GOES_ON)


def _delivery_of(run: Run) -> UUID:
    given: Any = run.input
    return UUID(given["delivery"])


DELIVERY = Replays(make=make, why_not=why_not)
