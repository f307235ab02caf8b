"""Letting go of versions that are not kept, and of rows that no version has any more."""

from django.db import connection, transaction

from slurps.models import Collection, Stage, Version
from slurps.modes import MODES

# So many rows are deleted in one transaction.
BATCH = 20_000

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


def prune(collection: Collection) -> int:
    """Delete the rows that only retired versions have, a batch at a time, and those versions. Returns how many rows."""
    retired = list(collection.versions.filter(stage=Stage.RETIRED))
    kept = list(collection.versions.filter(stage=Stage.READY).values_list("generation", flat=True))
    deleted = 0
    if MODES[collection.mode].write == "replace":
        for version in retired:
            if version.generation not in kept:  # one that was rolled back to may show the same rows
                deleted += _delete(
                    _REPLACED,
                    collection,
                    start=version.starts_at,
                    end=version.starts_at + version.rows,
                    generation=version.generation,
                )
    elif kept:
        deleted += _delete(_CLOSED, collection, oldest=min(kept))
    Version.objects.filter(pk__in=[version.pk for version in retired]).delete()
    return deleted


def _delete(statement: str, collection: Collection, **values: int) -> int:
    deleted = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, {"collection": collection.pk, "batch": BATCH, **values})
            count: int = cursor.rowcount
        deleted += count
        if count < BATCH:
            return deleted
