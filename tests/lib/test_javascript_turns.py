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


def test_parts_of_a_tenant_share_its_turns() -> None:
    queue: Turns[str] = Turns(most=100, each=100)
    for part in ("x", "y", "z"):
        for number in range(2):
            queue.put("a", f"{part}{number}", part=part)
    queue.put("b", "b0")
    queue.put("b", "b1")
    assert queue.empty() == ["x0", "b0", "y0", "b1", "z0", "x1", "y1", "z1"]


def test_a_tenant_has_so_many_places_however_many_parts() -> None:
    queue: Turns[int] = Turns(most=100, each=2)
    queue.put("a", 1, part="x")
    queue.put("a", 2, part="y")
    with pytest.raises(FullError):
        queue.put("a", 3, part="z")
    with pytest.raises(FullError):
        queue.put("a", 3, part="x")
    assert queue.empty() == [1, 2]


def test_a_part_takes_the_place_of_one_that_waits_for_more() -> None:
    queue: Turns[int] = Turns(most=100, each=3)
    for number in range(3):
        queue.put("a", number, part="x")
    assert queue.put("a", 9, part="y") == [2]
    assert len(queue) == 3
    assert queue.empty() == [0, 9, 1]


def test_no_tenants_can_keep_another_one_out() -> None:
    queue: Turns[object] = Turns(most=1000, each=200)
    for tenant in range(5):
        for number in range(200):
            queue.put(tenant, (tenant, number))
    assert queue.put("victim", "first") == [(0, 199)]
    assert len(queue) == 1000
    with pytest.raises(FullError):
        queue.put(1, "more")
    assert queue.empty().index("first") == 5


def test_a_tenant_of_many_parts_loses_the_place_of_one_of_them() -> None:
    queue: Turns[object] = Turns(most=3, each=3)
    for part in range(3):
        queue.put("a", part, part=part)
    assert queue.put("b", "b") == [0]
    assert queue.empty() == [1, "b", 2]


def test_among_equals_who_comes_late_is_refused() -> None:
    queue = turns(("a", 1), ("b", 2), most=2)
    with pytest.raises(FullError):
        queue.put("c", 3)
    with pytest.raises(FullError):
        queue.put("b", 3)
    assert queue.empty() == [1, 2]


def test_what_takes_many_places_leaves_so_many_fewer_to_others_of_its_tenant() -> None:
    queue: Turns[str] = Turns(most=100, each=10)
    assert queue.put("a", "large", places=9) == []
    with pytest.raises(FullError):
        queue.put("a", "two", places=2)
    assert queue.put("a", "small") == []
    with pytest.raises(FullError):
        queue.put("a", "more")
    assert (queue.take(), queue.put("a", "large again", places=9)) == ("large", [])
    assert queue.empty() == ["small", "large again"]


def test_who_waits_for_less_takes_as_many_places_as_it_takes_from_who_waits_for_more() -> None:
    queue: Turns[str] = Turns(most=20, each=10)
    for number in range(2):
        queue.put("a", f"a{number}", places=5)
        queue.put("b", f"b{number}", places=5)
    assert queue.put("c", "c0", places=3) == ["a1"]
    assert queue.put("c", "c1", places=3) == ["b1"]
    assert queue.put("d", "d", places=2) == []
    assert queue.empty() == ["a0", "b0", "c0", "d", "c1"]


def test_a_place_that_is_not_to_be_had_takes_none_from_anybody() -> None:
    queue: Turns[str] = Turns(most=20, each=20)
    for number in range(10):
        queue.put("a", f"a{number}")
        queue.put("b", f"b{number}")
    with pytest.raises(FullError):
        queue.put("c", "c", places=9)
    assert len(queue) == 20
    assert queue.empty() == [f"{tenant}{number}" for number in range(10) for tenant in "ab"]


def test_what_waits_alone_may_lose_its_place_to_what_is_smaller() -> None:
    queue: Turns[str] = Turns(most=10, each=10)
    queue.put("a", "large", part="x", places=10)
    assert queue.put("a", "small", part="y") == ["large"]
    queue.put("a", "large", part="x", places=9)
    assert queue.put("b", "b") == ["large"]
    assert queue.empty() == ["small", "b"]
    queue.put("a", "large", places=10)
    assert queue.put("b", "b") == ["large"]
    assert queue.empty() == ["b"]


def test_what_has_no_room_even_alone_is_refused() -> None:
    with pytest.raises(FullError):
        turns(most=10, each=10).put("a", 1, places=11)


def test_nothing_comes_out_of_an_empty_queue() -> None:
    with pytest.raises(IndexError):
        turns().take()
