"""Sets of HTTP statuses as people write them: `408,425,429,500-599`, or `none`."""

import re
from functools import lru_cache
from itertools import pairwise

LOWEST, HIGHEST = 100, 599
NONE = "none"
# What fails unless a job says otherwise.
FAILURES = "400-599"

_PART = re.compile(r"([0-9]{3})(?:\s*-\s*([0-9]{3}))?")


class StatusesError(ValueError):
    """A text that is no set of statuses. Its message is a sentence that says what would be right."""


@lru_cache(maxsize=1000)
def parse(text: str) -> frozenset[int]:
    """Give the statuses that a text names. Raises StatusesError."""
    if text.strip().lower() == NONE:
        return frozenset()
    named: set[int] = set()
    for part in text.split(","):
        named.update(_range(part.strip()))
    return frozenset(named)


def _range(part: str) -> range:
    match = _PART.fullmatch(part)
    if not match:
        raise StatusesError(f"Write statuses and ranges of them with commas between, like 408,429,500-599, or {NONE}.")
    first, last = int(match[1]), int(match[2] or match[1])
    if not LOWEST <= first <= HIGHEST or not LOWEST <= last <= HIGHEST:
        raise StatusesError(f"“{part}” is not within {LOWEST} to {HIGHEST}, which is where HTTP has its statuses.")
    if first > last:
        raise StatusesError(f"“{part}” ends before it begins: did you mean {last}-{first}?")
    return range(first, last + 1)


def covers(text: str, status: int) -> bool:
    """Whether a status is one of those named. One above 599 is to be taken for a failure of the server, like 599."""
    return min(status, HIGHEST) in parse(text)


def written(named: frozenset[int]) -> str:
    """The shortest text for a set of statuses: `408,500-599`."""
    if not named:
        return NONE
    ordered = sorted(named)
    breaks = [place for place, (one, other) in enumerate(pairwise(ordered), start=1) if other - one > 1]
    pieces = [ordered[start:end] for start, end in pairwise([0, *breaks, len(ordered)])]
    return ",".join(str(piece[0]) if len(piece) == 1 else f"{piece[0]}-{piece[-1]}" for piece in pieces)
