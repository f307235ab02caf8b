"""One run of a collection, by the verbs that a worker uses."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from badgerjobs.runs.models import Run, State
from slurps.models import Collection, Version
from slurps.storing.loading import Loader
from slurps.storing.pruning import prune
from slurps.storing.reading import rows_of
from slurps.storing.staging import begin
from slurps.storing.swapping import loaded_by, show
from tests.factories import NOW, make_run


def running(collection: Collection) -> Run:
    """A run of the collection's job in a worker's hands."""
    return make_run(collection.async_job.runnable, State.RUNNING, worker=uuid4())


def staged(collection: Collection, rows: Sequence[Any], *, run: Run | None = None) -> tuple[Version, Loader]:
    """Rows that were sent, and that nobody sees yet."""
    run = run or running(collection)
    version = begin(collection=collection, run_id=run.pk, worker=run.worker, now=NOW)
    loader = Loader(version)
    loader.add(rows)
    loader.flush()
    return version, loader


def load(collection: Collection, rows: Sequence[Any]) -> Version:
    """A whole run that succeeds."""
    version, loader = staged(collection, rows)
    shown = show(version, loaded_by(loader.encoder, read=len(rows)), worker=version.worker)
    prune(collection)
    Run.objects.filter(worker=version.worker).update(state=State.SUCCEEDED, finished_at=NOW)
    collection.refresh_from_db()
    return shown


def seen(collection: Collection, version: Version | None = None) -> list[Any]:
    """What readers see: of the current version, or of that one."""
    collection.refresh_from_db()
    version = version or collection.current
    return [json.loads(row) for batch in rows_of(version) for row in batch] if version else []


def versions(collection: Collection) -> dict[str, list[Any]]:
    """All that are kept: V1, V2, … → their rows."""
    return {
        f"V{one.number}": seen(collection, one)
        for one in reversed(Version.objects.filter(collection=collection).ready())
    }
