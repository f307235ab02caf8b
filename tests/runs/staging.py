"""An executor in this process, performing runs of kinds that a test makes up."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from typing import Any
from uuid import UUID

import pytest

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs import claiming, execute, fleet
from badgerjobs.runs.execute import Executor
from badgerjobs.runs.kinds import Claimed, Kind
from badgerjobs.runs.models import Cause, Queue, Run, Runnable, State
from badgerjobs.runs.outcomes import Done, Outcome
from tests.factories import NOW

Perform = Callable[[Claimed, Any, Any], Coroutine[Any, Any, Outcome]]


async def succeed(run: Claimed, work: Any, shared: Any) -> Outcome:
    """What a run does when the test is about something else."""
    return Done()


def load_all(runs: Sequence[Claimed]) -> Mapping[UUID, Any]:
    """The work of each run is its number."""
    return {run.id: run.number for run in runs}


def kind(
    perform: Perform = succeed,
    load: Callable[[Sequence[Claimed]], Mapping[UUID, Any]] = load_all,
    open: Callable[[], AbstractAsyncContextManager[Any]] = lambda: nullcontext("shared"),  # noqa: A002
) -> Kind:
    return Kind(load=load, perform=perform, open=open)


def queue(runnable: Runnable, count: int = 1, **fields: Any) -> list[Run]:
    """So many queued runs, numbered from 1; their kind is `staged` unless told otherwise."""
    given = {"kind": "staged", "queue": "io", "cause": Cause.MANUAL, "state": State.QUEUED, **fields}
    return Run.objects.bulk_create(
        Run(
            id=uuid7(),
            application_id=runnable.application_id,
            runnable=runnable,
            number=number,
            due_at=NOW,
            created_at=NOW,
            **given,
        )
        for number in range(1, count + 1)
    )


class Gate:
    """Holds runs on the event loop until the test opens it, and sees how many are inside."""

    def __init__(self) -> None:
        self.inside = self.most = self.cancelled = 0
        self._opened = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def perform(self, *_: Any) -> Outcome:
        self._loop = asyncio.get_running_loop()
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await self._opened.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.inside -= 1
        return Done()

    def open(self) -> None:
        assert self._loop, "nobody waits at the gate"
        self._loop.call_soon_threadsafe(self._opened.set)


class Stage:
    """Where executors are put up: with the kinds given, and paces that suit a test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kinds: dict[str, Kind] = {"staged": kind()}
        self.rings = 0
        for module in (claiming, execute):
            monkeypatch.setattr(module, "kind_of", lambda name: self.kinds[name])
        monkeypatch.setattr(execute, "POLL_S", 0.05)
        monkeypatch.setattr(execute, "PAUSE_S", 0.01)
        monkeypatch.setattr(execute, "ASIDE_AFTER_S", 60)
        monkeypatch.setattr(fleet, "PULSE_S", 0.02)

    def _ring(self) -> None:
        self.rings += 1

    @contextmanager
    def executing(self, slots: int = 50, most: int | None = None) -> Iterator[Executor]:
        """An executor that runs for as long as the block lasts; `most` slots go to one application, all by default."""
        executor = Executor(worker=fleet.Identity(Queue.IO), slots=slots, ring=self._ring, most=most or slots)
        executor.start()
        executor.wake()
        try:
            yield executor
        finally:
            executor.stop(5)


def states(runs: Iterable[Run]) -> set[str]:
    """The states that these runs are in now."""
    return set(Run.objects.filter(pk__in=[run.pk for run in runs]).values_list("state", flat=True))
