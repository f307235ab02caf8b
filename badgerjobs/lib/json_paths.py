"""Paths into JSON, like `$.data.items[*]`: names, places in lists, and all that a list has. No conditions."""

import re
from collections.abc import Sequence
from typing import Any

LONGEST = 500
MOST_STEPS = 30
# Every value of a list.
ALL = "*"

_STEP = re.compile(
    r"""\.?(?P<name>[^.\[\]'"*\s$][^.\[\]]*)|\.?\[(?P<place>\d{1,9})\]|\.?\[\*\]|\.\*"""
    r"""|\[(?P<quote>['"])(?P<quoted>(?:(?!(?P=quote)).)+)(?P=quote)\]"""
)
# A place in a list, a name in an object, or ALL, each told apart from what it is called.
Step = tuple[str, str | int]
NAME, PLACE, EACH = "name", "place", "each"


class PathError(ValueError):
    """No path. The message says where it stops being one."""


def parse(text: str) -> tuple[Step, ...]:
    """The steps of a path; none for `$` and for an empty text. The `$` may be left out. Raises PathError."""
    if len(text) > LONGEST:
        raise PathError(f"A path has at most {LONGEST} characters.")
    at = 1 if text.startswith("$") else 0
    steps: list[Step] = []
    while at < len(text):
        found = _STEP.match(text, at)
        if not found or (at == 1 and text[0] == "$" and text[1] not in ".["):
            raise PathError(f"“{text[at : at + 30]}” is no step of a path: write it like $.data.items[*].")
        steps.append(_step(found))
        at = found.end()
    if len(steps) > MOST_STEPS:
        raise PathError(f"A path has at most {MOST_STEPS} steps.")
    return tuple(steps)


def _step(found: re.Match[str]) -> Step:
    if name := found["name"] or found["quoted"]:
        return NAME, name
    return (PLACE, int(found["place"])) if found["place"] else (EACH, ALL)


def found_at(value: Any, steps: Sequence[Step]) -> list[Any]:
    """All values there, in order; none where the path leads nowhere."""
    values = [value]
    for kind, where in steps:
        if kind == NAME:
            values = [each[where] for each in values if isinstance(each, dict) and where in each]
        elif kind == PLACE:
            values = [each[where] for each in values if isinstance(each, list) and isinstance(where, int)
                      and where < len(each)]  # fmt: skip
        else:
            values = [inner for each in values if isinstance(each, list) for inner in each]
    return values


def first_at(value: Any, steps: Sequence[Step]) -> Any:
    """The first of them, or None."""
    found = found_at(value, steps)
    return found[0] if found else None
