"""What goes into the cache, and how: numbers, and JSON."""

import json
from typing import Any


class PlainValues:
    """Reads and writes the cache's values. Nothing that stands there can do more than be wrong."""

    def dumps(self, value: Any) -> int | bytes:
        """Whole numbers as they are, so that the cache can count them; all else as JSON. Raises TypeError."""
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, stored: bytes) -> Any:
        """The value; None for what we did not write, as if nothing were there."""
        try:
            return json.loads(stored)
        except (ValueError, RecursionError):
            return None
