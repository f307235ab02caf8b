"""However a bucket is emptied, no minute sees more than may begin in one."""

import random

import pytest

from badgerjobs.lib import buckets


def begun(per_minute: int, looks: list[float]) -> list[float]:
    """When runs begin, if at each of these seconds all begin that may, and more always wait."""
    tokens, filled_at, found = buckets.most(per_minute), 0.0, []
    for at in looks:
        tokens = buckets.filled(tokens, per_minute, at - filled_at)
        filled_at = at
        found += [at] * int(tokens)
        tokens -= int(tokens)
    return found


def busiest_minute(moments: list[float]) -> int:
    first, most = 0, 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - 60:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.mark.parametrize("per_minute", [1, 2, 7, 59, 60, 61, 100, 600, 6000])
def test_no_minute_sees_more_than_may_begin_and_most_of_that_does(per_minute: int) -> None:
    chance = random.Random(per_minute)
    looks = sorted(chance.uniform(0, 400) for _ in range(20_000))
    moments = begun(per_minute, looks)
    assert busiest_minute(moments) <= per_minute
    assert len([at for at in moments if at >= 60]) >= 0.95 * per_minute * 340 / 60 - 1


@pytest.mark.parametrize(("per_minute", "at_once"), [(1, 1), (60, 1), (120, 2), (600, 10), (6000, 100)])
def test_after_a_rest_a_seconds_worth_begins_at_once(per_minute: int, at_once: int) -> None:
    assert begun(per_minute, [3600.0]) == [3600.0] * at_once


def test_a_clock_that_went_back_adds_nothing() -> None:
    assert buckets.filled(0.5, 60, -10) == 0.5


@pytest.mark.parametrize(
    ("tokens", "per_minute", "seconds"), [(0.0, 60, 1.0), (0.5, 60, 0.5), (0.0, 1, 60.0), (1.0, 1, 0)]
)
def test_it_is_known_when_the_next_one_may_begin(tokens: float, per_minute: int, seconds: float) -> None:
    assert buckets.seconds_to_one(tokens, per_minute) == pytest.approx(seconds)
