"""What a worker process has in its hands, and which of it takes one of its slots.

A run takes a slot for its first moments. One that lasts, because its endpoint hangs or it waits until its host has
room, is set aside: it costs a little memory and nothing else, and its slot is for somebody else's run. Aside, too,
there is room for so many, of which one application may have half.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID


@dataclass(slots=True)
class InHand:
    """A run that is being performed. `is_counted`: when it is over, another of its application may begin."""

    application_id: int
    task: asyncio.Task[None]
    is_counted: bool = False
    is_aside: bool = False


class Hands:
    """Up to `slots` runs, of which one application has `most`, and up to `aside` more that last."""

    def __init__(self, slots: int, *, most: int, aside: int) -> None:
        self.slots = slots
        self.most = most
        self._aside = aside
        self._runs: dict[UUID, InHand] = {}
        self._of: Counter[int] = Counter()
        self._aside_of: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[UUID]:
        return iter(self._runs)

    def __contains__(self, run_id: UUID) -> bool:
        return run_id in self._runs

    def task(self, run_id: UUID) -> asyncio.Task[None] | None:
        """What performs this run, if it is here."""
        return self._runs[run_id].task if run_id in self._runs else None

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        return [run.task for run in self._runs.values()]

    def take(self, run_id: UUID, run: InHand) -> None:
        self._runs[run_id] = run
        self._of[run.application_id] += 1

    def drop(self, run_ids: Iterable[UUID]) -> bool:
        """Let go of these. Returns whether one of them was counted."""
        dropped = [run for run_id in run_ids if (run := self._runs.pop(run_id, None))]
        for run in dropped:
            _take_one(self._of, run.application_id)
            if run.is_aside:
                _take_one(self._aside_of, run.application_id)
        return any(run.is_counted for run in dropped)

    def set_aside(self, run_ids: Iterable[UUID]) -> None:
        """Those of these that are still here have lasted."""
        for run_id in run_ids:
            if (run := self._runs.get(run_id)) and not run.is_aside:
                run.is_aside = True
                self._aside_of[run.application_id] += 1

    @property
    def free(self) -> int:
        """How many slots are free."""
        excused = sum(map(self._excused, self._aside_of))
        return self.slots - len(self._runs) + min(self._aside, excused)

    def held(self) -> dict[int, int]:
        """How many slots each application has."""
        return {owner: n - self._excused(owner) for owner, n in self._of.items()}

    @property
    def has_capped(self) -> bool:
        """Whether an application has all the slots that one may have."""
        return any(n >= self.most for n in self.held().values())

    def _excused(self, application_id: int) -> int:
        return min(self._aside_of[application_id], (self._aside + 1) // 2)


def _take_one(counts: Counter[int], application_id: int) -> None:
    counts[application_id] -= 1
    if not counts[application_id]:
        del counts[application_id]
