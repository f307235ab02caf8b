"""What is dear is computed once for all who ask at the same time."""

from collections.abc import Callable
from unittest.mock import patch

import pytest
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCacheClient
from redis.exceptions import ConnectionError as RedisConnectionError

from badgerjobs.web import remembering

pytestmark = pytest.mark.django_db  # for an empty cache


def counter() -> Callable[[], int]:
    """Says how often it was asked."""
    numbers = iter(range(1, 100))
    return lambda: next(numbers)


@pytest.mark.parametrize(("later", "value"), [(0, 1), (4.9, 1), (5, 2), (500, 2), (-1, 2)])
def test_a_value_holds_for_as_long_as_is_asked(later: float, value: int) -> None:
    compute = counter()
    assert remembering.shared("it", 5, compute, 1000.0) == 1
    assert remembering.shared("it", 5, compute, 1000.0 + later) == value


def test_while_one_computes_the_others_get_what_was_there_before() -> None:
    compute = counter()
    remembering.shared("it", 5, compute, 1000.0)

    def computing() -> int:
        assert remembering.shared("it", 5, compute, 2000.0) == 1
        return 50

    assert remembering.shared("it", 5, computing, 2000.0) == 50
    assert remembering.shared("it", 5, compute, 2001.0) == 50


def test_the_first_ones_of_all_compute_it_themselves() -> None:
    remembering.take_turn("it")
    assert remembering.shared("it", 5, counter(), 1000.0) == 1


def test_who_fails_lets_the_next_one_try() -> None:
    def failing() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        remembering.shared("it", 5, failing, 1000.0)
    assert remembering.take_turn("it")


def test_one_at_a_time_has_the_turn() -> None:
    assert remembering.take_turn("it")
    assert not remembering.take_turn("it")
    remembering.end_turn("it")
    assert remembering.take_turn("it")


def test_a_cache_that_is_away_is_asked_once_and_then_left_alone() -> None:
    compute = counter()
    with patch.object(RedisCacheClient, "get_many", side_effect=RedisConnectionError) as asked:
        assert [remembering.shared("it", 5, compute, 1000.0) for _ in range(3)] == [1, 2, 3]
    assert asked.call_count == 1


def test_what_a_stranger_wrote_into_the_cache_is_not_there() -> None:
    cache._cache.get_client().set(cache.make_key("it"), b"not JSON")  # type: ignore[attr-defined]
    assert remembering.shared("it", 5, counter(), 1000.0) == 1
