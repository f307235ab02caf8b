"""How deep JSON is."""

from typing import Any


def is_deeper(value: Any, levels: int) -> bool:
    """Whether there are more than so many lists and objects in one another."""
    level = [value]
    for _ in range(levels):
        rows = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level = [inner for row in rows for inner in row]
    return any(isinstance(each, dict | list) for each in level)
