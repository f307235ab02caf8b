"""One attempt of an async job's run, whose sources give what a test says."""

from collections.abc import AsyncIterator, Iterable
from threading import Event
from typing import Any
from uuid import uuid4

import pytest

from badgerjobs.runs.models import Run, State
from slurps.models import AsyncJob, Collection
from slurps.slurping import slurping
from slurps.slurping.plan import Batch, Plan
from tests.factories import NOW, make_run


class Attempts:
    """`given`: the batches that come; an exception is raised in its place. `said` are the lines of the log."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.given: list[Any] = []
        self.said: list[tuple[str, str]] = []
        self.stopped = Event()
        monkeypatch.setattr(slurping, "pulled", self._pulled)

    async def _pulled(self, _plan: Plan) -> AsyncIterator[Batch]:
        for one in self.given:
            if isinstance(one, Exception):
                raise one
            yield one if isinstance(one, Batch) else Batch(one, "users", len(one))

    def plan(self, job: AsyncJob, *, run: Run | None = None) -> Plan:
        """What a worker's process makes of a run of the job."""
        run = run or make_run(job.runnable, State.RUNNING, worker=uuid4())
        return Plan(
            job=job,
            slurper=job.slurper,
            sources=[place.source for place in job.slurper.places.all()],
            collection=Collection.objects.filter(async_job=job, is_active=True).first(),
            run_id=run.pk,
            worker=run.worker,
            attempt=1,
            now=NOW,
            say=lambda level, message, _data: self.said.append((level, message)),
        )

    def slurp(self, job: AsyncJob, *batches: Any, run: Run | None = None) -> dict[str, Any]:
        """Run it over these batches."""
        self.given = list(batches)
        return slurping.slurp(self.plan(job, run=run), stopped=self.stopped)


def rows(*ids: int) -> list[dict[str, Any]]:
    return [{"id": each} for each in ids]


def ids(found: Iterable[dict[str, Any]]) -> list[Any]:
    return [row["id"] for row in found]
