"""Numbers as JSON has them. Python takes more: `NaN`, and infinity for all that is too large for it."""

import math


class NotFiniteError(ValueError):
    """What stands where a number should, or the beginning of it."""


def finite(text: str) -> float:
    """For `json.loads`, as its `parse_float` and its `parse_constant`. Raises NotFiniteError."""
    number = float(text)
    if not math.isfinite(number):
        raise NotFiniteError(text[:20])
    return number
