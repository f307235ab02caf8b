"""Claims runs for a worker process and loads what they need, in a thread beside its event loop."""

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import Error, transaction

from badgerjobs.lib.time_limits import within
from badgerjobs.runs import fleet, lifecycle, quotas
from badgerjobs.runs.clock import Clock
from badgerjobs.runs.kinds import Claimed, kind_of
from badgerjobs.runs.outcomes import BUG
from badgerjobs.runs.turns import Held, Most, Rota, Share

logger = logging.getLogger(__name__)

CLAIM_S = 6.0  # what a claim may take: the pulse waits for it, and the others believe for so long that we are alive
LIMITS_S = 1.0  # how long it is remembered that no application has a limit


class Claims:
    """What one worker process takes, and from whom it takes next. One has as many slots of it as `most` says."""

    def __init__(self, *, worker: fleet.Identity, clock: Clock, most: Most) -> None:
        self._worker = worker
        self._clock = clock
        self._most = most
        self._rota = Rota()
        self._limits_looked_for_at = -LIMITS_S

    @within(CLAIM_S)
    def take(self, limit: int, held: Held) -> tuple[list[Claimed], dict[UUID, Any], quotas.Rooms]:
        """Up to so many, in one transaction: what cannot be loaded now stays queued."""
        now = self._clock.read()
        loaded: dict[UUID, Any] = {}
        with transaction.atomic():
            queue, share = self._worker.queue, Share(self._most, held, self._rota)
            rooms = self._rooms(queue, limit, now)
            claimed = lifecycle.claim(
                queue=queue, worker=self._worker.id, limit=limit, now=now, share=share, rooms=rooms
            )
            for kind in {run.kind for run in claimed}:
                loaded.update(_load(kind, [run for run in claimed if run.kind == kind]))
            if orphans := [run.id for run in claimed if run.id not in loaded]:
                lifecycle.lose_owner(orphans, worker=self._worker.id, now=now)
        return claimed, loaded, rooms

    def _rooms(self, queue: str, limit: int, now: datetime) -> quotas.Rooms:
        """What limits leave. That there are none is remembered; a new one gives nothing until it is seen."""
        if time.monotonic() - self._limits_looked_for_at < LIMITS_S:
            return quotas.NO_LIMITS
        rooms = quotas.rooms(queue=queue, limit=limit, now=now)
        if not rooms.owners:
            self._limits_looked_for_at = time.monotonic()
        return rooms


def _load(kind: str, runs: Sequence[Claimed]) -> Mapping[UUID, Any]:
    """What these runs need. A kind that is not there, or has a bug, must not keep the others from being performed."""
    try:
        return kind_of(kind).load(runs)
    except Error:
        raise
    except Exception:
        # One row that cannot be read, its secrets for one, is nobody else's fault: it is halved until it stands alone.
        if len(runs) > 1:
            middle = len(runs) // 2
            return {**_load(kind, runs[:middle]), **_load(kind, runs[middle:])}
        logger.exception("runs of the kind %r cannot be loaded", kind)
        return {run.id: BUG for run in runs}
