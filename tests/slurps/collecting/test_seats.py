"""Readers whose answers take long: one application holds so many threads with them, and no more."""

from collections.abc import Iterator
from typing import Any

import pytest

from badgerjobs.web.seats import Seats
from slurps.collecting.grid import GridAsked, grid_of
from slurps.collecting.reading import pages, seats
from slurps.collecting.waiting import looked_up
from tests.callers import Answer, Caller
from tests.slurps.collecting.held import hold_rows
from tests.slurps.collecting.reads import PEOPLE, address, ids, people, rows

FULL = (429, "2")


@pytest.fixture(autouse=True)
def one_each(monkeypatch: pytest.MonkeyPatch) -> Seats:
    """Two seats: one for an application."""
    made = Seats(2)
    monkeypatch.setattr(seats, "_seats", made)
    monkeypatch.setattr(seats, "MANY_ROWS", 1)
    monkeypatch.setattr(pages, "at_once", lambda _: 2)
    return made


def refused(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.headers.get("Retry-After", "")


def begun(caller: Caller, **query: Any) -> Any:
    """An answer that its reader has not taken to the end."""
    headers = {"Authorization": f"Bearer {caller.secret}"}
    return caller.client.get(f"/api/v1{address(**query)}", headers=headers)


def first_of(response: Any) -> Iterator[bytes]:
    taken: Iterator[bytes] = iter(response)
    assert next(taken)
    return taken


def test_while_one_long_answer_is_taken_there_is_no_other_and_pages_are_read(alice: Caller) -> None:
    people(alice)
    taken = first_of(begun(alice))
    assert refused(rows(alice)) == FULL
    assert ids(rows(alice, _limit=2)) == [1, 2]
    assert len(list(taken)) > 1
    assert ids(rows(alice)) == [1, 2, 3, 4, 5]


def test_who_goes_before_its_end_gives_the_seat_back(alice: Caller, one_each: Seats) -> None:
    people(alice)
    response = begun(alice)
    first_of(response)
    response._iterator.close()
    assert not one_each._taken


def test_one_answer_needs_one_seat_whatever_makes_it_long(
    alice: Caller, one_each: Seats, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(alice)
    monkeypatch.setattr(seats, "LONG_BYTES", 10)
    assert ids(rows(alice, id__gte=1)) == [1, 2, 3, 4, 5]
    assert rows(alice, _search="ann", _limit=2).status == 200
    assert not one_each._taken


def test_a_long_page_has_a_seat_until_it_is_taken(
    alice: Caller, one_each: Seats, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(alice)
    monkeypatch.setattr(seats, "LONG_BYTES", 10)
    assert ids(rows(alice, _limit=2)) == [1, 2]
    assert not one_each._taken
    one_each.take(alice.application.pk)
    assert refused(rows(alice, _limit=2)) == FULL


@pytest.mark.parametrize(
    ("query", "is_long"),
    [
        ({"_search": "ann"}, True),
        ({"name": "Ann"}, True),
        ({"_sort": "-name"}, True),
        ({"id__contains": "1"}, True),
        ({"id": 1, "_search": "ann"}, False),
        ({"id__gte": 1}, False),
        ({"_sort": "id"}, False),
        ({"_sort": "-$position"}, False),
    ],
    ids=str,
)
def test_what_no_index_leads_to_needs_a_seat_where_there_are_many_rows(
    alice: Caller, one_each: Seats, query: dict[str, Any], *, is_long: bool
) -> None:
    people(alice, indexed=["id"])
    assert rows(alice, _limit=2, **query).status == 200
    assert not one_each._taken
    one_each.take(alice.application.pk)
    assert refused(rows(alice, _limit=2, **query)) == (FULL if is_long else (200, ""))


def test_comparing_many_rows_needs_a_seat_too(alice: Caller, one_each: Seats) -> None:
    collection = people(alice)
    compared = f"/async-jobs/{collection.async_job.tag}/collections/people/versions/difference/"
    assert alice.get(compared).status == 200
    assert not one_each._taken
    one_each.take(alice.application.pk)
    assert refused(alice.get(compared)) == FULL


def test_a_page_says_that_there_is_no_seat(alice: Caller, one_each: Seats) -> None:
    collection = people(alice)
    assert grid_of(collection, GridAsked(q="ann")).rows
    one_each.take(alice.application.pk)
    assert grid_of(collection, GridAsked(q="ann")).refused == seats.FULL.format("2 seconds")
    assert grid_of(collection, GridAsked()).rows


def test_what_waits_is_compared_a_moment_later_where_there_was_no_seat(alice: Caller, one_each: Seats) -> None:
    collection = people(alice, mode="versioned")
    held = hold_rows(collection, PEOPLE[:2])
    one_each.take(alice.application.pk)
    assert looked_up(collection, held).refused == seats.FULL.format("2 seconds")
    one_each.give_back(alice.application.pk)
    assert not looked_up(collection, held).refused
