"""Whose call is next."""

import pytest

from badgerjobs.lib.javascript.turns import FullError, Turns


def turns(*waiting: tuple[str, int], most: int = 100, each: int = 100) -> Turns[int]:
    made: Turns[int] = Turns(most=most, each=each)
    for tenant, item in waiting:
        made.put(tenant, item)
    return made


def test_tenants_take_turns_and_each_has_its_own_order() -> None:
    queue = turns(("a", 1), ("a", 2), ("a", 3), ("b", 4), ("c", 5), ("b", 6))
    assert queue.empty() == [1, 4, 5, 2, 6, 3]
    assert len(queue) == 0


def test_who_comes_later_is_behind_those_that_wait_and_not_behind_all_their_calls() -> None:
    queue = turns(*[("a", number) for number in range(50)])
    assert queue.take() == 0
    queue.put("b", 99)
    assert [queue.take(), queue.take(), queue.take()] == [1, 99, 2]


def test_one_tenant_cannot_take_the_places_of_all() -> None:
    queue = turns(("a", 1), ("a", 2), most=3, each=2)
    with pytest.raises(FullError):
        queue.put("a", 3)
    queue.put("b", 4)
    with pytest.raises(FullError):
        queue.put("c", 5)
    queue.take()
    queue.put("c", 6)


def test_nothing_comes_out_of_an_empty_queue() -> None:
    with pytest.raises(IndexError):
        turns().take()
