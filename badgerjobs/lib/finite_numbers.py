"""Numbers as JSON has them. Python takes more: `NaN`, and infinity for all that is too large for it."""

import math

# The largest number that there is has so many digits: with fewer, none is too large.
_ENDLESS = 309


class NotFiniteError(ValueError):
    """What stands where a number should, or the beginning of it."""


def finite(text: str) -> float:
    """For `json.loads`, as its `parse_float` and its `parse_constant`. Raises NotFiniteError."""
    number = float(text)
    if not math.isfinite(number):
        raise NotFiniteError(text[:20])
    return number


def finite_whole(text: str) -> int:
    """The same as its `parse_int`: of some 310 digits on, what is whole is infinity to JavaScript, and not to Python.

    Raises NotFiniteError; and ValueError for one of more digits than Python reads.
    """
    number = int(text)
    if len(text) >= _ENDLESS:
        finite(text)
    return number
