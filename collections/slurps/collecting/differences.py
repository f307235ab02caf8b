"""What differs between two versions: how many rows, and the first of them, in the text that PostgreSQL gives.

Where rows are merged or appended a row is known again by its place, and what is the same was not even written twice.
Where all are replaced it is known by its key, and without one by all it holds.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from slurps.collecting.reading import seats
from slurps.collecting.reading.seats import in_a_seat
from slurps.collecting.snapshot import asked, in_batches, one_look
from slurps.models import Collection, Stage, Version
from slurps.modes import MODES
from slurps.storing.reading import bounds_of
from slurps.storing.staging import table_of

# So many rows of each are shown, and so many bytes of them.
SHOWN = 100
SHOWN_BYTES = 2_000_000

_SEEN = (
    "r.collection_id = %(collection)s AND r.position >= %(starts_{v})s AND r.position < %(ends_{v})s"
    " AND r.first BETWEEN %(floor_{v})s AND %(generation_{v})s AND (r.last IS NULL OR r.last >= %(generation_{v})s)"
)
_BEFORE, _AFTER = _SEEN.format(v="a"), _SEEN.format(v="b")

# Each gives rows of (before, after): positions and first generations of what one has and the other has not, or
# otherwise. Null for the one that has it not.
_BY_PLACE = """
SELECT coalesce(n.position, o.position) AS at, o.first AS before_first, o.position AS before,
       n.first AS after_first, n.position AS after
FROM (SELECT position, first, data FROM collections_row r WHERE {before} AND NOT ({after})) o
FULL JOIN (SELECT position, first, data FROM collections_row r WHERE {after} AND NOT ({before})) n
  ON n.position = o.position
WHERE o.position IS NULL OR n.position IS NULL OR o.data <> n.data
"""
_BY_KEY = """
SELECT coalesce(n.position, o.position) AS at, o.first AS before_first, o.position AS before,
       n.first AS after_first, n.position AS after
FROM (SELECT DISTINCT ON (key) key, position, first, data FROM collections_row r WHERE {before}
      ORDER BY key, position DESC) o
FULL JOIN (SELECT DISTINCT ON (key) key, position, first, data FROM collections_row r WHERE {after}
           ORDER BY key, position DESC) n ON n.key = o.key
WHERE o.position IS NULL OR n.position IS NULL OR o.data <> n.data
"""
# What comes twice in one and once in the other is told once.
_BY_CONTENT = """
SELECT coalesce(after, before) AS at, before_first, CASE WHEN balance < 0 THEN before END AS before,
       after_first, CASE WHEN balance > 0 THEN after END AS after, abs(balance) AS times
FROM (
    SELECT sum(side) AS balance, min(position) FILTER (WHERE side < 0) AS before, min(first) FILTER (WHERE side < 0)
           AS before_first, min(position) FILTER (WHERE side > 0) AS after, min(first) FILTER (WHERE side > 0)
           AS after_first
    FROM (SELECT position, first, hashtextextended(data::text, 0) AS h, -1 AS side FROM collections_row r
          WHERE {before}
          UNION ALL
          SELECT position, first, hashtextextended(data::text, 0), 1 FROM collections_row r WHERE {after}) both_
    GROUP BY h HAVING sum(side) <> 0
) each_
"""
# What waits to be merged, to what is seen now. Of rows with the same key the last wins.
_TO_BE_MERGED = """
SELECT s.n AS at, r.data AS before, s.data AS after
FROM (SELECT DISTINCT ON (key) n, key, data FROM {table} ORDER BY key, n DESC) s
LEFT JOIN collections_row r ON r.key = s.key AND {before}
WHERE r.position IS NULL OR r.data <> s.data
"""

_COUNTED = """
WITH differing AS MATERIALIZED ({differing})
SELECT coalesce(sum({times}) FILTER (WHERE before IS NULL), 0), coalesce(sum({times}) FILTER (WHERE after IS NULL), 0),
       count(*) FILTER (WHERE before IS NOT NULL AND after IS NOT NULL) FROM differing
"""
_SHOWN = """
WITH differing AS MATERIALIZED ({differing})
(SELECT 'added', NULL::jsonb, n.data, at FROM differing d JOIN LATERAL ({row_after}) n ON true
 WHERE before IS NULL ORDER BY at LIMIT %(shown)s)
UNION ALL
(SELECT 'removed', o.data, NULL, at FROM differing d JOIN LATERAL ({row_before}) o ON true
 WHERE after IS NULL ORDER BY at LIMIT %(shown)s)
UNION ALL
(SELECT 'changed', o.data, n.data, at FROM differing d JOIN LATERAL ({row_before}) o ON true
 JOIN LATERAL ({row_after}) n ON true WHERE before IS NOT NULL AND after IS NOT NULL ORDER BY at LIMIT %(shown)s)
"""
_ROW = (
    "SELECT r.data FROM collections_row r WHERE r.collection_id = %(collection)s"
    " AND r.position = d.{side} AND r.first = d.{side}_first"
)


def difference(collection: Collection, before: Version | None, after: Version) -> str:
    """JSON of added, removed and changed rows: how many, and the first of each. Raises TooLongError, TooMany."""
    by, differing, is_data = _way(collection, after)
    rows = {
        "row_before": "SELECT d.before AS data" if is_data else _ROW.format(side="before"),
        "row_after": "SELECT d.after AS data" if is_data else _ROW.format(side="after"),
    }
    values = {"shown": SHOWN, **_values(collection, before, after)}
    with _seat(collection, before, after), one_look():
        counts = _counts(by, differing, values)
        shown = _shown(in_batches(_SHOWN.format(differing=differing, **rows), values, batch=20))
    return _written(by, counts, shown)


def counts_of_difference(collection: Collection, before: Version | None, after: Version) -> dict[str, Any]:
    """How many rows were `added`, `removed` and `changed`, and `by` what they are known again.

    Raises TooLongError, TooMany.
    """
    by, differing, _ = _way(collection, after)
    with _seat(collection, before, after), one_look():
        return {"by": by, **_counts(by, differing, _values(collection, before, after))}


def _seat(collection: Collection, before: Version | None, after: Version) -> AbstractContextManager[None]:
    rows = max(after.rows, after.written, before.rows if before else 0)
    return in_a_seat(collection.application_id, is_long=rows >= seats.MANY_ROWS)


def _counts(by: str, differing: str, values: Mapping[str, Any]) -> dict[str, int]:
    times = "times" if by == "content" else "1"
    [(added, removed, changed)] = asked(_COUNTED.format(differing=differing, times=times), values)
    return {"added": int(added), "removed": int(removed), "changed": int(changed)}


def _values(collection: Collection, before: Version | None, after: Version) -> dict[str, int]:
    return {"collection": collection.pk, **_bounds(before, "a"), **_bounds(after, "b")}


def _way(collection: Collection, after: Version) -> tuple[str, str, bool]:
    """By what rows are known again, what differs, and whether that has the rows themselves."""
    write = MODES[collection.mode].write
    if after.stage == Stage.HELD and write == "upsert":
        return "key", _TO_BE_MERGED.format(before=_BEFORE, table=table_of(after)), True
    if write != "replace":
        by, differing = "place", _BY_PLACE
    else:
        by, differing = ("key", _BY_KEY) if collection.key else ("content", _BY_CONTENT)
    return by, differing.format(before=_BEFORE, after=_AFTER), False


def _bounds(version: Version | None, name: str) -> dict[str, int]:
    """The values for _SEEN. No version sees nothing."""
    if version is None:
        return {f"starts_{name}": 0, f"ends_{name}": 0, f"floor_{name}": 1, f"generation_{name}": 0}
    bounds = bounds_of(version)
    return {
        f"starts_{name}": bounds["starts_at"],
        f"ends_{name}": bounds["ends_at"],
        f"floor_{name}": bounds["floor"],
        f"generation_{name}": bounds["generation"],
    }


def _shown(batches: Iterator[Sequence[tuple[Any, ...]]]) -> dict[str, list[str]]:
    """The first rows of each kind, as JSON; fewer where they are long."""
    shown: dict[str, list[str]] = {"added": [], "removed": [], "changed": []}
    left = dict.fromkeys(shown, SHOWN_BYTES)
    for batch in batches:
        for what, before, after, _ in batch:
            row = f'{{"before":{before},"after":{after}}}' if what == "changed" else (before or after)
            left[what] -= len(row)
            if left[what] >= 0:
                shown[what].append(row)
    return shown


def _written(by: str, counts: dict[str, Any], shown: dict[str, list[str]]) -> str:
    parts = [f'"{what}":{{"count":{count},"rows":[{",".join(shown[what])}]}}' for what, count in counts.items()]
    return f'{{"by":{json.dumps(by)},{",".join(parts)}}}'
