"""What a statement gave back, as it is kept: so many rows, so many bytes, and only what JSON has."""

import base64
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

KEEP_BYTES = 256 * 1024
LONGEST_VALUE = 64 * 1024


def kept(columns: Sequence[str], rows: Iterable[Sequence[Any]], most: int) -> dict[str, Any]:
    """Rows as objects, by column: `most` of them and 256 KB at most. `truncated` says that there were more.

    `columns` has their order, which the database does not keep in objects.
    """
    shown: list[dict[str, Any]] = []
    size, truncated = 0, False
    for row in rows:
        if truncated or len(shown) == most:
            truncated = True
            break
        one = dict(zip(columns, map(plain, row), strict=True))
        size += len(json.dumps(one))
        if size > KEEP_BYTES:
            truncated = True
            break
        shown.append(one)
    return {"rows_returned": len(shown), "columns": list(columns), "rows": shown, "truncated": truncated}


def plain(value: Any) -> Any:
    """A value as JSON has it: what it has no word for becomes text, bytes become base64, long texts are cut."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes | memoryview):
        return plain(base64.b64encode(bytes(value)).decode())
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
