"""Percentiles out of classes: right to 5 %, and the same however the durations were divided up before."""

import math
from collections import Counter

import pytest

from badgerjobs.lib.percentiles import STEP, percentile


def classes(durations: list[float]) -> Counter[int]:
    return Counter(math.floor(math.log(max(1, duration)) / math.log(STEP)) for duration in durations)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.99, 1.0])
def test_a_percentile_is_right_to_five_percent(share: float) -> None:
    durations = [1.0 + number * number / 7 for number in range(1, 1001)]
    exact = durations[math.ceil(share * len(durations)) - 1]
    assert percentile(classes(durations), share) == pytest.approx(exact, rel=0.05)


def test_of_nothing_there_is_none() -> None:
    assert percentile({}, 0.5) is None


def test_one_duration_is_every_percentile() -> None:
    assert percentile(classes([400]), 0.01) == percentile(classes([400]), 0.99) == pytest.approx(400, rel=0.05)


def test_parts_add_up_to_the_whole() -> None:
    some, others = [3.0, 40.0, 500.0], [6.0, 7.0, 8000.0]
    assert percentile(classes(some) + classes(others), 0.5) == percentile(classes(some + others), 0.5)
