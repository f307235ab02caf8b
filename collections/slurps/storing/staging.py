"""Beginning to load rows where nobody sees them, and taking back what was loaded."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max

from badgerjobs.runs.models import Run, State
from slurps.models import AsyncJob, Collection, Row, Stage, Version
from slurps.modes import MODES
from slurps.storing.faults import BusyError, HeldError, SupersededError
from slurps.storing.pruning import clear

# Merging rows, or taking that back, is one statement over as many rows as there are: longer than others may take.
TAKES_LONG = "SET LOCAL statement_timeout = '30min'"

BUSY = "Run {} is loading rows into “{}” just now: try again when it has ended, or abort it."
HELD = (
    "The result of an earlier run waits for approval in “{}”. Approve or drop it there: rows that come later follow it."
)


def begin(*, collection: Collection, run_id: UUID, worker: UUID | None, now: datetime) -> Version:
    """Begin a version that an attempt of a run fills, and take back what attempts before it have left.

    Raises BusyError while another run fills the same collection, HeldError where what waits for approval must come
    first, and SupersededError when the run is not this worker's any more.
    """
    if MODES[collection.mode].write == "append":
        with transaction.atomic():
            _made_room(collection, run_id, worker)
        clear(collection)  # however many rows that are: nobody waits for it
    return _begun(collection, run_id, worker, now)


@transaction.atomic
def _begun(collection: Collection, run_id: UUID, worker: UUID | None, now: datetime) -> Version:
    collection = _made_room(collection, run_id, worker)
    if MODES[collection.mode].write == "append":
        clear(collection)  # hardly ever any: what was left since then
    collection.generation += 1
    collection.save(update_fields=["generation"])
    generation = collection.generation
    version = Version.objects.create(
        application_id=collection.application_id,
        collection=collection,
        generation=generation,
        floor=generation if MODES[collection.mode].write == "replace" else 1,
        starts_at=collection.positions if MODES[collection.mode].write == "replace" else 0,
        run_id=run_id,
        worker=worker,
        created_at=now,
    )
    if MODES[collection.mode].write == "upsert":
        _make_table(version)
    return version


def _made_room(collection: Collection, run_id: UUID, worker: UUID | None) -> Collection:
    """The collection, locked and free to be filled. Within a transaction."""
    hold_job(collection)
    collection = Collection.objects.select_for_update().get(pk=collection.pk)
    ensure_ours(run_id, worker)
    make_room(collection, run_id)
    return collection


def hold_job(collection: Collection) -> None:
    """Lock the async job, before its runs and collections: who deletes it, or its application, holds it first, too.

    Else each would wait for what the other one has.
    """
    AsyncJob.objects.select_for_update(no_key=True).filter(pk=collection.async_job_id).values_list("pk").first()


def make_room(collection: Collection, run_id: UUID | None = None) -> None:
    """Take back what was left half loaded in a collection that is locked: by nobody any more, or by this run.

    Raises BusyError while another run fills it, and HeldError where what waits for approval must come first.
    """
    for version in collection.versions.exclude(stage__in=(Stage.READY, Stage.RETIRED)):
        if version.stage == Stage.HELD:
            if MODES[collection.mode].write != "replace":
                raise HeldError(HELD.format(collection.name))
        else:
            if version.run_id != run_id and (run := _running(version)):
                raise BusyError(BUSY.format(run.number, collection.name))
            discard(version)


def ensure_ours(run_id: UUID, worker: UUID | None) -> None:
    """Within the transaction that stores something for a run. Raises SupersededError when it is somebody else's."""
    ours = Run.objects.select_for_update(no_key=True).filter(pk=run_id, state=State.RUNNING, worker=worker)
    if not ours.exists():
        raise SupersededError


def _running(version: Version) -> Run | None:
    running = Run.objects.filter(state=State.RUNNING, worker=version.worker)
    return running.filter(pk=version.run_id).first() if version.run_id else None


def discard(version: Version) -> None:
    """Take back what was loaded for a version that nobody is to see. Whoever still loads it finds it gone.

    It takes no longer for a million rows: they are deleted in batches when this is committed, by `prune`, by a tick, or
    by the next run, which shows nothing before they are gone.
    """
    Version.objects.select_for_update().filter(pk=version.pk).first()
    drop_table(version)
    version.starts_at, ends_at = _loaded(version)
    if ends_at <= version.starts_at:
        version.delete()
        return
    version.rows = ends_at - version.starts_at
    version.stage, version.run_id, version.worker = Stage.RETIRED, None, None
    version.save(update_fields=["starts_at", "rows", "stage", "run_id", "worker"])


def _loaded(version: Version) -> tuple[int, int]:
    """From where to where rows lie that were loaded for a version that is not shown: behind all that is."""
    write = MODES[version.collection.mode].write
    if write == "upsert":  # they lie in a table of their own
        return 0, 0
    begins = version.starts_at if write == "replace" else version.collection.positions
    if version.stage == Stage.HELD:
        return begins, begins + version.written
    last = Row.objects.filter(collection_id=version.collection_id).aggregate(last=Max("position"))["last"]
    return begins, begins if last is None else last + 1


def table_of(version: Version) -> str:
    """Where the rows of an upsert lie until they are merged. It has no log: what a crash empties is loaded again."""
    return f"collections_staged_{version.pk}"


def _make_table(version: Version) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f'CREATE UNLOGGED TABLE {table_of(version)} (n bigint, key text COLLATE "C", data jsonb,'
            " slot1 jsonb, slot2 jsonb, slot3 jsonb, slot4 jsonb)"
        )


def drop_table(version: Version) -> None:
    """Let go of it."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table_of(version)}")


def keep_table(version: Version) -> None:
    """Have it survive a crash, from now on: its rows wait for approval."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table_of(version)} SET LOGGED")


def left_tables() -> Sequence[str]:
    """Those whose versions are gone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'collections\\_staged\\_%'"
            " AND relname NOT IN (SELECT 'collections_staged_' || id FROM collections_version)"
        )
        return [name for (name,) in cursor.fetchall()]
