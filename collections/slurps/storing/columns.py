"""The columns of rows: [{name, types: {type: how often}}], in the order in which they were first seen."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

# So many columns are told apart; what has more is stored whole all the same.
MOST_COLUMNS = 1000

Columns = Sequence[Mapping[str, Any]]


def together(before: Columns, now: Columns) -> list[dict[str, Any]]:
    """The columns of rows of which some came before others."""
    found: dict[str, Counter[str]] = {}
    for column in (*before, *now):
        if column["name"] in found or len(found) < MOST_COLUMNS:
            found.setdefault(column["name"], Counter()).update(column["types"])
    return [{"name": name, "types": dict(types)} for name, types in found.items()]


def types_of(columns: Columns) -> dict[str, set[str]]:
    """Column → the types that it had."""
    return {column["name"]: set(column["types"]) for column in columns}
