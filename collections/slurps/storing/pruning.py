"""Letting go of versions that are not kept, and of rows that no version has any more."""

import time
from collections.abc import Iterator, Mapping, Sequence

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from badgerjobs.runs.models import Run
from slurps.models import Collection, Stage, Version
from slurps.modes import MODES

# So many rows are deleted in one transaction.
BATCH = 20_000
# How long somebody waits for that who has asked for something else.
PRUNING_S = 2.0

_REPLACED = """
DELETE FROM collections_row r WHERE (collection_id, position, first) IN (
    SELECT collection_id, position, first FROM collections_row
    WHERE collection_id = %(collection)s AND position >= %(start)s AND position < %(end)s AND first = %(generation)s
    LIMIT %(batch)s)
"""
_CLOSED = """
DELETE FROM collections_row r WHERE (collection_id, position, first) IN (
    SELECT collection_id, position, first FROM collections_row
    WHERE collection_id = %(collection)s AND last < %(oldest)s LIMIT %(batch)s)
"""


def retire(collection: Collection) -> None:
    """Mark the versions that are not kept any more, within the transaction that shows another one."""
    keep = collection.keep if MODES[collection.mode].is_versioned else 1
    ready = collection.versions.filter(stage=Stage.READY).order_by("-number")
    over = [version.pk for version in ready[keep:] if version.pk not in {collection.pinned_id, collection.current_id}]
    Version.objects.filter(pk__in=over).update(stage=Stage.RETIRED)


def prune(collection: Collection, *, seconds: float = PRUNING_S) -> int:
    """Delete the rows that only retired versions have, a batch at a time, and those versions. Returns how many rows.

    It begins no batch after so many seconds: what is left the next run deletes, or a tick.
    """
    until = time.monotonic() + seconds
    retired = list(collection.versions.filter(stage=Stage.RETIRED))
    deleted = 0
    for statement, values, version in _left_by(collection, retired):
        while (count := _delete(statement, collection, values, version)) == BATCH:
            deleted += count
            if time.monotonic() >= until:
                return deleted
        deleted += count
    # One whose run is not over stays, without rows: an attempt of it whose end nobody heard of is not made twice.
    going_on = Run.objects.filter(pk=OuterRef("run_id"), finished_at=None)
    Version.objects.filter(~Exists(going_on), pk__in=[version.pk for version in retired]).delete()
    return deleted


def clear(collection: Collection, *, seconds: float | None = None) -> bool:
    """Delete what was loaded and is to be seen by nobody, a batch at a time. Whether all of it is gone.

    Where rows are only added, a version that comes later would show them.
    """
    until = None if seconds is None else time.monotonic() + seconds
    for version in collection.versions.filter(stage=Stage.RETIRED, number=None):
        while _delete(_REPLACED, collection, _values(version), version) == BATCH:
            if until is not None and time.monotonic() >= until:
                return False
        Version.objects.filter(pk=version.pk).delete()
    return True


# A statement, its values, and the version of which it deletes all rows.
Left = tuple[str, dict[str, int], Version | None]


def _left_by(collection: Collection, retired: Sequence[Version]) -> Iterator[Left]:
    """Which rows no version has any more."""
    kept = list(collection.versions.filter(stage=Stage.READY).values_list("generation", flat=True))
    is_replaced = MODES[collection.mode].write == "replace"
    for version in retired:
        # One that was never shown has rows of its own; one that was rolled back to may show the same rows.
        if version.number is None or (is_replaced and version.generation not in kept):
            yield _REPLACED, _values(version), version
    if kept and not is_replaced:
        yield _CLOSED, {"oldest": min(kept)}, None


def _values(version: Version) -> dict[str, int]:
    start, end = version.starts_at, version.starts_at + version.rows
    return {"start": start, "end": end, "generation": version.generation}


@transaction.atomic
def _delete(statement: str, collection: Collection, values: Mapping[str, int], version: Version | None) -> int:
    """One batch. Of two at once that delete a version's the second waits: else it would find few, and go."""
    if version:
        Version.objects.select_for_update().filter(pk=version.pk).first()
    with connection.cursor() as cursor:
        cursor.execute(statement, {"collection": collection.pk, "batch": BATCH, **values})
        count: int = cursor.rowcount
        return count
