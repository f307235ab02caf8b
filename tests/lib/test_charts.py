"""Shares of a bar: each is seen, in proportion, and none sticks out."""

import pytest

from badgerjobs.lib.charts import shares

ADDED, CHANGED, REMOVED = "added", "changed", "removed"


@pytest.mark.parametrize(
    ("counts", "whole", "expected"),
    [
        ([], 100, []),
        ([(ADDED, 0), (CHANGED, 0)], 0, []),
        ([(ADDED, 25), (CHANGED, 0), (REMOVED, 50)], 100, [(ADDED, 0, 50), (REMOVED, 50, 100)]),
        ([(ADDED, 1), (CHANGED, 1)], 1_000_000, [(ADDED, 0, 2), (CHANGED, 2, 2)]),
        ([(ADDED, 1_000_000), (REMOVED, 1)], 1_000_000, [(ADDED, 0, 200), (REMOVED, 198, 2)]),
        ([(ADDED, 3), (REMOVED, 3)], 2, [(ADDED, 0, 100), (REMOVED, 100, 100)]),
    ],
)
def test_each_is_seen_in_proportion(
    counts: list[tuple[str, int]], whole: int, expected: list[tuple[str, float, float]]
) -> None:
    found = [(one.kind, one.x, one.width) for one in shares(counts, whole)]
    assert found == expected
    assert all(x + width <= 200 for _, x, width in found)
