"""How far runs are that are not over: what each has read and written so far, and what it is about."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.models import Application
from slurps.models import Stage, Version


class Progress(NamedTuple):
    """`collection` is the one that it fills; `said` is what it is about, in words."""

    collection: str
    read: int
    written: int
    said: str


def progress_of(application: Application, runs: Iterable[Run]) -> dict[UUID, Progress]:
    """Run → how far it is, for those that are loading rows into a collection just now: one query."""
    running = [run.pk for run in runs if run.state == State.RUNNING]
    if not running:
        return {}
    versions = Version.objects.for_application(application).filter(run_id__in=running, stage=Stage.STAGING)
    told = versions.values_list("run_id", "collection__name", "read", "written", "bytes")
    return {
        run_id: Progress(name, read, written, _said(read, size))
        for run_id, name, read, written, size in told
        if run_id is not None
    }


def stage_of(version: Version) -> str:
    """What the run is about that loads this one."""
    return _said(version.read, version.bytes)


def _said(read: int, size: int) -> str:
    if size:  # it is known when the last row has come
        return "all is read: the rows are being put in place"
    return "rows are being read" if read else "no row has come yet"
