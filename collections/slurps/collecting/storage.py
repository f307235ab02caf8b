"""What the rows of a collection take up, and which version brought how much of it: as near as a sample tells."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

from slurps.models import Collection, Stage, Version
from slurps.modes import MODES
from slurps.storing.reading import SEEN, bounds_of

# So many rows are measured, and what each has besides what it holds, in bytes: its head, and its places in indexes.
SAMPLE, BESIDES = 200, 100

_LENGTH = f"""
SELECT avg(pg_column_size(data)) FROM (
    SELECT r.data FROM collections_row r WHERE {SEEN} ORDER BY r.position LIMIT {SAMPLE}) sample
"""  # noqa: S608  ours


class Storage(NamedTuple):
    """Bytes in all, and of each version by its number: what would not be there without it and those before it."""

    total: int
    versions: dict[int, int]


def storage_of(collection: Collection) -> Storage:
    """Two queries, however many versions and rows there are."""
    stages = (Stage.READY, Stage.HELD)
    versions = Version.objects.for_application(collection.application).filter(collection=collection, stage__in=stages)
    kept = list(versions.defer("columns", "known", "flagged", "remembered").order_by("number"))
    each = _length(collection.current) if collection.current else 0
    brought = _brought(MODES[collection.mode].write, [one for one in kept if one.number is not None])
    held = sum(one.written for one in kept if one.number is None)
    return Storage(
        round((sum(brought.values()) + held) * each), {number: round(rows * each) for number, rows in brought.items()}
    )


def _brought(write: str, kept: Sequence[Version]) -> dict[int, int]:
    """Number of a version → how many rows are stored because of it. The oldest has all that were there before."""
    rows: dict[int, int] = {}
    seen: set[int] = set()
    for place, one in enumerate(kept):
        is_copy = one.generation in seen  # one that was rolled back to where all are replaced shows the same rows
        seen.add(one.generation)
        whole = write == "replace" or place == 0
        rows[one.number or 0] = 0 if is_copy else one.rows if whole else one.added + one.changed
    return rows


def _length(version: Version) -> float:
    """Bytes that a row takes up."""
    with connection.cursor() as cursor:
        cursor.execute(_LENGTH, bounds_of(version))
        [(length,)] = cursor.fetchall()
    return float(length or 0) + BESIDES
