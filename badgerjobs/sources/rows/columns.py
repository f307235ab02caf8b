"""What columns rows have, and what stands in them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

# So many are told.
MOST = 200
NAMES: dict[type, str] = {
    bool: "boolean", int: "number", float: "number", str: "text", dict: "object", list: "list", type(None): "null",
}  # fmt: skip


def columns_of(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Each column, in order, with how often it has values of which type: boolean, number, text, object, list, null.

    Rows that are no objects have none.
    """
    found: dict[str, Counter[str]] = {}
    for row in rows:
        for name, value in row.items() if isinstance(row, dict) else ():
            if name in found or len(found) < MOST:
                found.setdefault(name, Counter())[NAMES.get(type(value), "text")] += 1
    return [{"name": name, "types": dict(types)} for name, types in found.items()]
