"""Filters in the address of a collection: what each means, of which type a value may be, and what is refused."""

from typing import Any

import pytest

from slurps.models import Collection
from slurps.storing.indexing import choose, fill
from tests.callers import Caller
from tests.factories import make_collection
from tests.in_turn import in_turn
from tests.slurps.collecting.reads import PEOPLE, ids, people, rows, text
from tests.slurps.storing.loads import load

pytestmark = pytest.mark.django_db

LONG = "x" * 300
CASES: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [1, 2, 3, 4, 5]),
    ({"age": "30"}, [1, 2]),
    ({"age": "30.0"}, [1]),
    ({"age__eq": "30"}, [1, 2]),
    ({"age__ne": "30"}, [3, 4, 5]),
    ({"age__gt": "30"}, [3]),
    ({"age__gte": "30"}, [1, 2, 3]),
    ({"age__lt": "30"}, [5]),
    ({"age__lte": "30"}, [1, 2, 5]),
    ({"age__gt": "5", "age__lt": "31"}, [1, 5]),
    ({"age__in": "30,41"}, [1, 2, 3]),
    ({"age__in": '["30",41]'}, [2, 3]),
    ({"age__in": "nobody"}, []),
    ({"name": "Ann"}, [1]),
    ({"name": ""}, []),
    ({"name__contains": "nn"}, [1, 4]),
    ({"name__contains": "%"}, []),
    ({"name__contains": ["n", "A"]}, [1]),
    ({"name__startswith": "A"}, [1]),
    ({"name__gte": "B"}, [2, 3, 4]),
    ({"name__isnull": "true"}, [5]),
    ({"age__isnull": "1"}, [4]),
    ({"age__isnull": "false"}, [1, 2, 3, 5]),
    ({"tags__contains": "a"}, [1]),
    ({"tags__contains": "c"}, []),
    ({"tags.1": "b"}, [1]),
    ({"active": "true"}, [3]),
    ({"active__ne": "true"}, [1, 2, 4, 5]),
    ({"address.city": "Bern"}, [1, 5]),
    ({"address.city__in": "Bern,Basel"}, [1, 2, 5]),
    ({"address.zipcode__gte": "3000"}, [1]),
    ({"address.nothing.more": "x"}, []),
    ({"address.city": "Bern", "age": "30"}, [1]),
    ({"_search": "ANN"}, [1, 4, 5]),
    ({"_search": "ann bern"}, [1, 4, 5]),
    ({"_search": "city"}, []),
    ({"_search": "30"}, [1, 2, 5]),
    ({"_search": "%"}, [5]),
    ({"_search": "true"}, [3]),
    ({"nobody": "1"}, []),
    ({"nobody__ne": "1"}, [1, 2, 3, 4, 5]),
    ({"name": "'; DROP TABLE collections_row; --"}, []),
    ({"'; DROP TABLE collections_row; --": "x"}, []),
    ({"name": "%s%(v0)s"}, []),
    ({"%(v0)s": "x"}, []),
    ({"name": '"'}, []),
]  # fmt: skip


@in_turn("query, expected", CASES)
def test_a_filter_means(alice: Caller, query: dict[str, Any], expected: list[int]) -> None:
    people(alice)
    assert ids(rows(alice, **query)) == expected


@in_turn("query, expected", CASES)
def test_it_means_the_same_where_its_field_is_indexed(
    alice: Caller, query: dict[str, Any], expected: list[int]
) -> None:
    people(alice, indexed=["age", "name", "active", "tags"])
    assert ids(rows(alice, **query)) == expected
    assert ids(rows(alice, **query, _sort="-$position")) == expected[::-1]


@in_turn(
    "sort, expected",
    [
        ("", [1, 2, 3, 4, 5]),
        ("$position", [1, 2, 3, 4, 5]),
        ("-$position", [5, 4, 3, 2, 1]),
        ("name", [1, 2, 3, 4, 5]),
        ("-name", [4, 3, 2, 1, 5]),
        ("age", [2, 5, 1, 3, 4]),
        ("-age", [3, 1, 5, 2, 4]),
        ("address.city", [2, 1, 5, 4, 3]),
        ("tags", [1, 2, 3, 4, 5]),
    ],
)
def test_sorted_by(alice: Caller, sort: str, expected: list[int]) -> None:
    collection = people(alice)
    assert ids(rows(alice, _sort=sort)) == expected
    choose(collection, ["name", "age", "tags"])
    assert ids(rows(alice, _sort=sort)) == expected
    fill(collection, seconds=5)
    assert ids(rows(alice, _sort=sort)) == expected
    for limit in (1, 2, 3):
        assert walked(alice, _sort=sort, _limit=limit) == expected
        assert walked_back(alice, _sort=sort, _limit=limit) == expected
        assert paged(alice, _sort=sort, _limit=limit) == expected


def test_what_long_texts_are_sorted_by_has_room_in_a_cursor(alice: Caller) -> None:
    collection = make_collection(alice.application, name="people")
    load(collection, [{"id": 1, "name": f"b{'x' * 5000}"}, {"id": 2, "name": "c"}, {"id": 3, "name": "a" * 5000}])
    page = rows(alice, _sort="name", _limit=1, _fields="id")
    assert len(page.headers["Link"]) < 2000
    assert walked(alice, _sort="name", _limit=1, _fields="id") == [3, 1, 2]


def walked(caller: Caller, **query: Any) -> list[int]:
    """All pages, by their cursors."""
    found: list[int] = []
    cursor: Any = ""
    while cursor is not None:
        page = rows(caller, **query, _with_meta="true", _cursor=cursor)
        found += ids(page)
        cursor = page.body["cursor"]
    return found


def walked_back(caller: Caller, **query: Any) -> list[int]:
    """All pages from the last to the first, by their cursors."""
    page = rows(caller, **query, _with_meta="true", _page=1)
    page = rows(caller, **query, _with_meta="true", _page=page.body["last"])
    found: list[int] = []
    while len(found) < 100:
        found = [*ids(page), *found]
        if page.body["cursor_before"] is None:
            return found
        page = rows(caller, **query, _with_meta="true", _cursor=page.body["cursor_before"])
    raise AssertionError(found)


def paged(caller: Caller, **query: Any) -> list[int]:
    """All pages, by their numbers."""
    found: list[int] = []
    number: Any = 1
    while number is not None:
        page = rows(caller, **query, _with_meta="true", _page=number)
        found += ids(page)
        number = page.body["next"]
    return found


@in_turn("query, expected", [(query, found) for query, found in CASES if len(found) > 2])
def test_pages_by_cursor_and_by_number_have_the_same_rows(
    alice: Caller, query: dict[str, Any], expected: list[int]
) -> None:
    collection = people(alice)
    assert walked(alice, **query, _limit=2) == expected
    assert walked_back(alice, **query, _limit=2) == expected
    assert paged(alice, **query, _limit=2) == expected
    choose(collection, ["age", "name"])
    fill(collection, seconds=5)
    assert walked(alice, **query, _limit=2) == expected
    assert walked_back(alice, **query, _limit=2) == expected
    assert walked(alice, **query, _limit=2, _sort="-$position") == expected[::-1]
    assert walked_back(alice, **query, _limit=2, _sort="-$position") == expected[::-1]
    assert paged(alice, **query, _limit=2) == expected


HOSTILE: list[dict[str, Any]] = [
    {"id": 1, "__proto__": 5, "a.b": "dotted", "": "none", "x__gt": 7, "$limit": 3, "version": "v", "a'b": 1},
    {"id": 2, "a": {"b": "nested", ".": 1}, "x": 9, "%s": "p", '"': "q", "back\\slash": "w"},
]


@pytest.fixture
def strange(alice: Caller) -> Collection:
    collection = make_collection(alice.application, name="people")
    load(collection, HOSTILE)
    return collection


@in_turn(
    "query, expected",
    [
        ({"__proto__": "5"}, [1]),
        ({"__proto____gte": "5"}, [1]),
        ({"a.b": "dotted"}, [1]),
        ({"a.b": "nested"}, []),
        ({"": "none"}, [1]),
        ({"x__gt": "7"}, [1]),
        ({"x__gt__eq": "7"}, [1]),
        ({"x__gte": "8"}, [2]),
        ({"\\$limit": "3"}, [1]),
        ({"version__eq": "v"}, [1]),
        ({"a'b": "1"}, [1]),
        ({"%s": "p"}, [2]),
        ({'"': "q"}, [2]),
        ({"back\\slash": "w"}, [2]),
        ({"a.\\.": "1"}, [2]),
        ({"_fields": "id,__proto__", "__proto____isnull": "false"}, [1]),
        ({"_sort": "a'b", "a'b": 1}, [1]),
    ],
)
def test_names_that_are_hostile_are_found(
    alice: Caller, strange: Collection, query: dict[str, Any], expected: list[int]
) -> None:
    assert ids(rows(alice, **query)) == expected


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_they_come_back_in_every_form(alice: Caller, strange: Collection, form: str) -> None:
    found = text(alice, _format=form)
    assert all(name in found for name in ("__proto__", "a.b", "a'b"))


def test_a_long_text_is_found_whole_though_its_beginning_alone_is_indexed(alice: Caller) -> None:
    collection = make_collection(alice.application, name="people", indexed=["text"])
    load(collection, [{"id": 1, "text": LONG + "1"}, {"id": 2, "text": LONG + "2"}, {"id": 3, "text": LONG[:200]}])
    assert ids(rows(alice, text=f"{LONG}2")) == [2]
    assert ids(rows(alice, text=LONG[:200])) == [3]
    assert ids(rows(alice, text__gte=f"{LONG}2")) == [2]


def test_keys_of_two_types_are_two_rows(alice: Caller) -> None:
    collection = make_collection(alice.application, name="people", mode="upserted", key=["id"])
    load(collection, [{"id": 1, "is": "number"}, {"id": "1", "is": "text"}])
    assert ids(rows(alice, id="1")) == [1, "1"]
    assert ids(rows(alice, id__in='["1"]')) == ["1"]


@in_turn(
    "query, field, said",
    [
        ({"age__near": "3"}, "age__near", "There is no operator “near”"),
        ({"_limit": "0"}, "$limit", "from 1 to 10,000"),
        ({"_limit": "10001"}, "$limit", "from 1 to 10,000"),
        ({"_limit": "ten"}, "$limit", "from 1 to 10,000"),
        ({"_limit": "000000000001000000"}, "$limit", "from 1 to 10,000"),
        ({"_page": "1" * 5000}, "$page", "whole number"),
        ({"_limit": ["1", "2"]}, "$limit", "Give it once."),
        ({"_page": "0"}, "$page", "whole number"),
        ({"_with_meta": "maybe"}, "$with_meta", "true or false"),
        ({"_with_meta": "true", "_format": "csv"}, "$with_meta", "Only JSON"),
        ({"_format": "xml"}, "$format", "none of json, jsonl, csv"),
        ({"_cursor": "nonsense"}, "$cursor", "no cursor of ours"),
        ({"_cursor": "x", "_page": "1"}, "$cursor", "not both"),
        ({"_colour": "red"}, "$colour", "There is no such parameter"),
        ({"_sort": "-"}, "$sort", "Give a field"),
        ({"_version": "x"}, "$version", "whole number"),
        ({"_version": "1", "version": "1"}, "$version", "not both"),
        ({"age__isnull": "x"}, "age__isnull", "true or false"),
        ({"age__in": "[1"}, "age__in", "a list as JSON"),
        ({"age__in": ",".join("1" * 300)}, "age__in", None),
        ({"age__in": ",".join(map(str, range(300)))}, "age__in", "at most 100 values"),
        ({"age": "a\0"}, "age", "null character"),
        ({"age": "x" * 10_001}, "age", "at most 10,000 letters"),
        ({".".join("a" * 30): "x"}, ".".join("a" * 30), "nested at most 20"),
        ({f"f{n}": "x" for n in range(31)}, "f30", "at most 30 conditions"),
        ({"_search": " ".join(f"w{n}" for n in range(11))}, "$search", "at most 10"),
    ],
)
def test_what_cannot_be_read_is_refused(alice: Caller, query: dict[str, Any], field: str, said: str | None) -> None:
    people(alice)
    answer = rows(alice, **query)
    if said is None:
        assert answer.status == 200
        return
    assert (answer.status, list(answer.errors)) == (400, [field])
    assert said in answer.errors[field][0]


def test_numbers_that_are_huge_break_nothing(alice: Caller) -> None:
    people(alice)
    for value in ("1e999", "9" * 400, "1e99999999", "-1e-999", "1" * 9999):
        assert ids(rows(alice, age__gt=value)) in ([], [2], [1, 3], [1, 2, 3, 5], [1, 3, 5])
        assert ids(rows(alice, age=value)) == []


def test_all_rows_are_those_that_were_loaded(alice: Caller) -> None:
    people(alice)
    assert rows(alice).body == PEOPLE
