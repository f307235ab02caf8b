"""Merging the rows of an upsert into those that are there: one join, and only what differs is written."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from slurps.models import Collection, Version
from slurps.modes import MODES
from slurps.storing.faults import UnstorableError
from slurps.storing.staging import TAKES_LONG, table_of

LOST = "The database was restarted while the rows were being loaded: they are loaded again."

# Of rows with the same key the last wins, in the place of the first.
_ONCE = """
WITH twice AS (SELECT key, min(n) AS first, max(n) AS final FROM {table} GROUP BY key HAVING count(*) > 1),
gone AS (DELETE FROM {table} s USING twice t WHERE s.key = t.key AND s.n <> t.final RETURNING 1),
moved AS (UPDATE {table} s SET n = t.first FROM twice t WHERE s.key = t.key AND s.n = t.final)
SELECT count(*) FROM gone
"""

_MERGE = """
WITH found AS MATERIALIZED (
    SELECT s.*, r.position AS place, r.first AS since
    FROM {table} s LEFT JOIN collections_row r
      ON r.collection_id = %(collection)s AND r.key = s.key AND r.last IS NULL AND r.key IS NOT NULL
    WHERE r.position IS NULL OR r.data <> s.data
), there AS (
    UPDATE collections_row r SET {there} FROM found f
    WHERE r.collection_id = %(collection)s AND r.position = f.place AND r.first = f.since
), written AS (
    INSERT INTO collections_row (collection_id, position, first, key, data, slot1, slot2, slot3, slot4)
    SELECT %(collection)s,
           coalesce(place, %(positions)s + row_number() OVER (PARTITION BY place IS NULL ORDER BY n) - 1),
           %(generation)s, key, data, slot1, slot2, slot3, slot4 FROM found WHERE {written}
)
SELECT count(*) FILTER (WHERE place IS NULL), count(*) FILTER (WHERE place IS NOT NULL) FROM found
"""
# Where an older version can be read, a row that is there ends with it, and the new one stands in its place.
_BESIDE = {"there": "last = %(base)s", "written": "true"}
# Where none can, the row itself is changed: readers see it as it was until all is committed, and nothing is left over.
_OVER = {
    "there": "data = f.data, slot1 = f.slot1, slot2 = f.slot2, slot3 = f.slot3, slot4 = f.slot4",
    "written": "place IS NULL",
}


@dataclass(frozen=True, slots=True)
class Merged:
    """What an upsert is to the rows that are there. `repeated` came more than once, and were left out."""

    added: int
    changed: int
    unchanged: int
    repeated: int


def merge(version: Version, collection: Collection, *, base: int, written: int) -> Merged:
    """Within the transaction that shows the version. Raises UnstorableError when not all of the rows are there."""
    table = table_of(version)
    with connection.cursor() as cursor:
        cursor.execute(TAKES_LONG)
        cursor.execute(f"ANALYZE {table}")
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608  a name of ours
        if cursor.fetchone()[0] != written:
            raise UnstorableError(LOST)
        cursor.execute(_ONCE.format(table=table))
        repeated = cursor.fetchone()[0]
        values: dict[str, Any] = {
            "collection": collection.pk,
            "base": base,
            "positions": collection.positions,
            "generation": version.generation,
        }
        is_kept = MODES[collection.mode].is_versioned or collection.pinned_id is not None
        cursor.execute(_MERGE.format(table=table, **(_BESIDE if is_kept else _OVER)), values)
        added, changed = cursor.fetchone()
    return Merged(added, changed, written - repeated - added - changed, repeated)
