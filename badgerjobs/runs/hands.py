"""What a worker process has in its hands, and which of it takes one of its slots.

A run takes a slot for its first moments. One that lasts, because its endpoint hangs or it waits until its host has
room, is set aside: it costs a little memory and nothing else, and its slot is for somebody else's run. Aside, too,
there is room for so many, of which one application may have half, and one workspace three quarters.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from badgerjobs.runs.turns import Held, Most


@dataclass(slots=True)
class InHand:
    """A run that is being performed. `is_counted`: when it is over, another of its application may begin."""

    workspace_id: int
    application_id: int
    task: asyncio.Task[None]
    is_counted: bool = False
    is_aside: bool = False


@dataclass(slots=True)
class _Workspace:
    """How many runs of it are here, and how many of these aside, by their applications."""

    runs: Counter[int] = field(default_factory=Counter)
    aside: Counter[int] = field(default_factory=Counter)


class Hands:
    """Up to `slots` runs, of which one has as many as `most` says, and up to `aside` more that last."""

    def __init__(self, slots: int, *, most: Most, aside: int) -> None:
        self.slots = slots
        self.most = most
        self._aside = aside
        self._most_aside = Most.of(aside)
        self._runs: dict[UUID, InHand] = {}
        self._of: dict[int, _Workspace] = {}

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
        self._of.setdefault(run.workspace_id, _Workspace()).runs[run.application_id] += 1

    def drop(self, run_ids: Iterable[UUID]) -> bool:
        """Let go of these. Returns whether one of them was counted."""
        dropped = [run for run_id in run_ids if (run := self._runs.pop(run_id, None))]
        for run in dropped:
            workspace = self._of[run.workspace_id]
            _take_one(workspace.runs, run.application_id)
            if run.is_aside:
                _take_one(workspace.aside, run.application_id)
            if not workspace.runs:
                del self._of[run.workspace_id]
        return any(run.is_counted for run in dropped)

    def set_aside(self, run_ids: Iterable[UUID]) -> None:
        """Those of these that are still here have lasted."""
        for run_id in run_ids:
            if (run := self._runs.get(run_id)) and not run.is_aside:
                run.is_aside = True
                self._of[run.workspace_id].aside[run.application_id] += 1

    @property
    def free(self) -> int:
        """How many slots are free."""
        excused = sum(self._excused(workspace) for workspace in self._of.values() if workspace.aside)
        return self.slots - len(self._runs) + min(self._aside, excused)

    def held(self) -> Held:
        """How many slots each has."""
        return Held(
            {owner: one.runs.total() - self._excused(one) for owner, one in self._of.items()},
            {owner: n - self._excused_of(one, owner) for one in self._of.values() for owner, n in one.runs.items()},
        )

    @property
    def has_capped(self) -> bool:
        """Whether one has all the slots that it may have."""
        held = self.held()
        return any(n >= self.most.application for n in held.applications.values()) or any(
            n >= self.most.workspace for n in held.workspaces.values()
        )

    def _excused(self, workspace: _Workspace) -> int:
        """How many of its runs take no slot."""
        return min(self._most_aside.workspace, sum(self._excused_of(workspace, one) for one in workspace.aside))

    def _excused_of(self, workspace: _Workspace, application_id: int) -> int:
        return min(self._most_aside.application, workspace.aside[application_id])


def _take_one(counts: Counter[int], application_id: int) -> None:
    counts[application_id] -= 1
    if not counts[application_id]:
        del counts[application_id]
