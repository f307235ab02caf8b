"""Percentiles of many durations without keeping them: how many fell into each of a row of classes.

Class n holds what is at least STEP^n and less than STEP^(n+1) milliseconds, so that a percentile is right to 5 %; and
classes can be added up, as percentiles cannot: those of a day are the sums of those of its hours.
"""

from collections.abc import Mapping

STEP = 1.1


def percentile(classes: Mapping[int, int], share: float) -> float | None:
    """The duration in milliseconds that this share (0 to 1) did not exceed; None of nothing."""
    wanted = share * sum(classes.values())
    so_far = 0
    for number in sorted(classes):
        so_far += classes[number]
        if so_far and so_far >= wanted:
            return float(STEP ** (number + 0.5))
    return None
