"""The rows of a version: which are seen, in which order."""

from collections.abc import Iterator
from itertools import count

from django.db import connection, transaction

from slurps.models import Version

# Cursors of one connection are told apart by them.
_numbers = count()

# A row is seen by a version: its three numbers are all there is to it. Where others have theirs nobody need look.
SEEN = (
    "r.collection_id = %(collection)s AND r.position >= %(starts_at)s AND r.position < %(ends_at)s"
    " AND r.first BETWEEN %(floor)s AND %(generation)s AND (r.last IS NULL OR r.last >= %(generation)s)"
)
# Where a version ends that is not ready yet.
NOWHERE = 2**62


def bounds_of(version: Version) -> dict[str, int]:
    """The values for SEEN."""
    return {
        "collection": version.collection_id,
        "starts_at": version.starts_at,
        "ends_at": NOWHERE if version.number is None else version.ends_at,
        "floor": version.floor,
        "generation": version.generation,
    }


def rows_of(version: Version, *, batch: int = 2000) -> Iterator[list[str]]:
    """All rows of a version in order, as JSON, in batches: one view of them, however long it takes to read it."""
    with transaction.atomic(), connection.cursor() as cursor:
        name = f"rows_{next(_numbers)}"
        cursor.execute(
            f"DECLARE {name} NO SCROLL CURSOR FOR"  # noqa: S608  names of ours
            f" SELECT r.data FROM collections_row r WHERE {SEEN} ORDER BY r.position",
            bounds_of(version),
        )
        while True:
            cursor.execute(f"FETCH {batch} FROM {name}")
            if not (found := [data for (data,) in cursor.fetchall()]):
                break
            yield found
        cursor.execute(f"CLOSE {name}")
