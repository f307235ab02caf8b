"""What lists say of async jobs and of their runs: how many rows came, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from badgerjobs.lib import words
from badgerjobs.runs.models import Run
from badgerjobs.runs.owner_rows import OwnerRow
from badgerjobs.runs.recent import last_ended, last_runs
from badgerjobs.workspaces.models import Application
from slurps.approvals import NEVER_SHOWN, bring_up_to_date, outputs_now
from slurps.models import AsyncJob
from slurps.progress import Progress

_NUMBERS = ("read", "written", "added", "changed", "removed", "dropped", "bytes")


@dataclass(frozen=True, slots=True)
class Counts:
    """What a run left: rows that were read, written and so on; `stage` is empty where nothing was stored."""

    collection: str = ""
    stage: str = ""
    version: int | None = None
    approved: bool = False
    replaced_by: int | None = None
    read: int = 0
    written: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    dropped: int = 0
    bytes: int = 0

    @classmethod
    def of_output(cls, output: Any) -> Counts | None:
        """What a run says of itself when it is over; None where it says nothing of rows."""
        if not isinstance(output, Mapping) or not isinstance(output.get("written"), int):
            return None
        numbers = {name: int(output.get(name) or 0) for name in _NUMBERS}
        stage = str(output.get("stage") or "")
        return cls(
            str(output.get("collection") or ""), stage, output.get("version"), bool(output.get("approved")),
            output.get("replaced_by"), **numbers,
        )  # fmt: skip

    @property
    def is_held(self) -> bool:
        return self.stage == "held"

    @property
    def was_never_shown(self) -> bool:
        """Whether it was held, and is no version."""
        return self.stage in NEVER_SHOWN

    @property
    def words(self) -> str:
        """`12,480 rows`; `7,364 rows, held`; `7,364 rows, approved as version 3`; `12 rows, not stored`."""
        said = words.counted(self.written, "row")
        if self.is_held:
            return f"{said}, held"
        if self.approved:
            return f"{said}, approved as version {self.version:,}"
        if self.replaced_by:
            return f"{said}, replaced by run {self.replaced_by:,}"
        if self.was_never_shown:
            return f"{said}, {NEVER_SHOWN[self.stage]}"
        return said if self.stage else f"{said}, not stored"


@dataclass(frozen=True, slots=True)
class Row(OwnerRow):
    """An async job, what its last runs were, and what the last one left."""

    job: AsyncJob
    counts: Counts | None = None

    @property
    def said(self) -> str:
        """`12,480 rows`; or why there are none."""
        if self.ended and self.ended.error:
            return self.ended.error
        return self.counts.words if self.counts else ""


class RunRow(NamedTuple):
    """A run, and what it left; None before it is over: then there is how far it is, while it loads rows."""

    run: Run
    counts: Counts | None
    progress: Progress | None = None

    @property
    def said(self) -> str:
        """What is to be known of it besides its numbers."""
        if self.run.error:
            return self.run.error
        if self.progress:
            return self.progress.said
        if self.counts and (self.counts.stage != "ready" or self.counts.approved):
            return self.counts.words
        return ""


def rows_of(application: Application, jobs: Iterable[AsyncJob], now: datetime) -> list[Row]:
    """The jobs with what their lists say of their runs: four queries at most, however many jobs there are."""
    jobs = list(jobs)
    ids = [job.runnable_id for job in jobs]
    strips, ended = (last_runs(ids), last_ended(ids)) if ids else ({}, {})
    runs = Run.objects.for_application(application).filter(pk__in=[one.id for one in ended.values()])
    outputs: dict[Any, Any] = dict(runs.values_list("pk", "output")) if ended else {}
    outputs = outputs_now(application, outputs)
    return [
        Row(
            job.runnable,
            strips.get(job.runnable_id, []),
            last := ended.get(job.runnable_id),
            now,
            job,
            Counts.of_output(outputs.get(last.id)) if last else None,
        )
        for job in jobs
    ]


def run_rows(application: Application, runs: Iterable[Run], progress: Mapping[UUID, Progress]) -> list[RunRow]:
    """These runs with what they left and what became of that, or how far they are."""
    runs = list(runs)
    bring_up_to_date(application, runs)
    return [RunRow(run, Counts.of_output(run.output), progress.get(run.pk)) for run in runs]
