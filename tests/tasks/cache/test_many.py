"""Many values in one call: each as it is stored, and what holds for the others."""

from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.web.spared_cache import packed
from tasks.cache import answers, copies, reading, rows
from tests.callers import PROBLEM, Caller
from tests.tasks.cache.stored import BODY, Clock, keep, note_failure


def read(caller: Caller, *names: str) -> Any:
    return caller.post("/cache/", {"keys": names}).body


def test_values_stand_beside_their_names_as_they_are_stored(alice: Caller, clock: Clock) -> None:
    keep(alice.application, "a", BODY)
    keep(alice.application, 'b"é', "null")
    asked_for = '{"keys": ["b\\"é", "a"]}'.encode()
    head = {"Authorization": f"Bearer {alice.secret}"}
    found = alice.client.post("/api/v1/cache/", asked_for, "application/json", headers=head)
    assert found.content.startswith(b'{"values":{"b\\"\\u00e9":null,"a":' + BODY.encode() + b"}")
    assert found.json() == {"values": {'b"é': None, "a": {"b": 1, "a": [2.0, "é"]}}, "stale": [], "missing": []}
    assert found["Cache-Control"] == "private, no-store"


def test_the_query_names_keys_as_well(alice: Caller, clock: Clock) -> None:
    keep(alice.application, "a", "1")
    keep(alice.application, "b&c", "2")
    answer = alice.get("/cache/?key=a&key=b%26c&key=a")
    assert answer.body == {"values": {"a": 1, "b&c": 2}, "stale": [], "missing": []}
    head = alice.send("HEAD", "/cache/?key=a&key=b%26c&key=a", b"")
    assert (head.status, head.body, head.headers) == (200, b"", answer.headers)


def test_each_is_told_as_what_it_is_and_all_that_lack_are_asked_for_at_once(
    alice: Caller, clock: Clock, asked: list[list[int]]
) -> None:
    keep(alice.application, "fresh", "1", ttl_s=600)
    stale = keep(alice.application, "stale", "2", ttl_s=60)
    old = keep(alice.application, "old", "3", ttl_s=60, stale_while_revalidate_s=0)
    failing = keep(alice.application, "failing", "4", ttl_s=60, stale_if_error_s=0)
    note_failure(failing, 65)
    unfilled = keep(alice.application, "unfilled", None)
    clock.goes_on(70)
    names = ["fresh", "stale", "old", "failing", "unfilled", "unknown", "a/b", "x" * 401]
    for _ in range(2):  # from the rows, and from the copies
        assert read(alice, *names) == {
            "values": {"fresh": 1, "stale": 2},
            "stale": ["stale"],
            "missing": ["old", "failing", "unfilled", "unknown", "a/b", "x" * 401],
        }
    assert asked == [sorted(key.pk for key in (stale, old, failing, unfilled))]


def test_another_tenants_values_are_missing(alice: Caller, charlie: Caller, clock: Clock) -> None:
    keep(alice.application, "hers", "1")
    keep(charlie.application, "his", "2")
    assert read(alice, "hers", "his")["values"] == {"hers": 1}
    assert read(charlie, "hers", "his")["values"] == {"his": 2}


def test_a_thousand_are_read_by_a_few_statements_and_then_by_none(alice: Caller, clock: Clock) -> None:
    names = [f"key-{number}" for number in range(1000)]
    for name in names:
        keep(alice.application, name, '"v"')
    read(alice, "key-0")
    with CaptureQueriesContext(connection) as first:
        assert read(alice, *names)["values"] == dict.fromkeys(names, "v")
    with CaptureQueriesContext(connection) as second:
        assert read(alice, *names)["values"] == dict.fromkeys(names, "v")
    assert (len(first), len(second)) == (-(-1000 // reading.IN_ONE_TRIP), 0)


@pytest.mark.parametrize("first", [[], ["e", "c"]], ids=["from the rows", "some from copies"])
def test_rows_are_read_so_many_bytes_at_a_time(
    first: list[str], alice: Caller, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abcdef":
        keep(alice.application, name, f'"{name * 98}"')
    keep(alice.application, "long", f'"{"l" * 400}"')
    for name in first:
        read(alice, name)
    monkeypatch.setattr(reading, "ROW_BYTES", 250)
    sizes: list[int] = []
    first_of = rows.first_of

    def seen(*given: Any) -> Any:
        found, left = first_of(*given)
        sizes.append(sum(len(value.body or b"") for value in found.values()))
        return found, left

    monkeypatch.setattr(rows, "first_of", seen)
    names = ["f", "no-such", "b", "long", "e", "d", "c", "a/b", "a", "z"]
    assert list(read(alice, *names)["values"]) == ["f", "b", "long", "e", "d", "c", "a"]
    assert sizes == ([200, 402, 200] if first else [200, 402, 200, 200])
    sizes.clear()
    assert list(read(alice, *names)["values"]) == ["f", "b", "long", "e", "d", "c", "a"]
    assert sizes == [0]  # those that are no keys


def test_no_value_is_read_after_those_that_are_too_many(
    alice: Caller, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"key-{number}" for number in range(20)]
    for name in names:
        keep(alice.application, name, f'"{"x" * 98}"')
    monkeypatch.setattr(reading, "ROW_BYTES", 200)
    monkeypatch.setattr(answers, "MOST_BYTES", 500)
    with CaptureQueriesContext(connection) as queries:
        assert alice.post("/cache/", {"keys": names}).status == 400
    assert len([query for query in queries if "tasks_cachedvalue" in query["sql"]]) == 3
    # What it had claimed and did not read keeps nobody waiting.
    where = [copies.place(alice.application.pk, name) for name in names]
    [found] = copies.exchange(packed(b"MGET", *where), 1) or []
    assert not any(copies.is_claim(one) for one in found)


def test_more_than_one_answer_may_have_is_refused(alice: Caller, clock: Clock) -> None:
    keep(alice.application, "a", f'"{"x" * 50}"')
    keep(alice.application, "b", f'"{"x" * 50}"')
    with patch.object(answers, "MOST_BYTES", 100):
        answer = alice.get("/cache/?key=a&key=b")
        assert alice.get("/cache/?key=a").status == 200
    assert (answer.status, list(answer.errors)) == (400, ["keys"])


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "keys"),
        ({"keys": []}, "keys"),
        ({"keys": "a"}, "keys"),
        ({"keys": [["a"]]}, "keys.0"),
        ({"keys": [f"key-{number}" for number in range(1001)]}, "keys"),
        ({"keys": ["a", "b\0"]}, "keys.1"),
        ({"keys": ["a"], "names": ["a"]}, "names"),
    ],
    ids=["nothing", "none", "a text", "a list", "too many", "a null character", "another field"],
)
def test_what_names_no_keys_is_refused_by_field(given: Any, field: str, alice: Caller) -> None:
    answer = alice.post("/cache/", given)
    assert (answer.status, answer.content_type, list(answer.errors)) == (400, PROBLEM, [field])


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"keys": ["\xff"]}', "application/json", 400),
        (b"[" * 10_000, "application/json", 400),
        (b"keys=a", "application/x-www-form-urlencoded", 415),
    ],
    ids=["cut", "a list", "not UTF-8", "deep", "a form"],
)
def test_what_is_no_json_object_is_refused_as_elsewhere(
    body: bytes, content_type: str, status: int, alice: Caller
) -> None:
    mine, elsewhere = (
        alice.send("POST", path, body, **{"Content-Type": content_type}) for path in ("/cache/", "/jobs/")
    )
    assert mine.status == status
    assert (mine.content_type, mine.body) == (elsewhere.content_type, elsewhere.body)


def test_half_of_a_character_is_no_name(alice: Caller, clock: Clock) -> None:
    answer = alice.send("POST", "/cache/", b'{"keys": ["\\ud800"]}')
    assert answer.status in {200, 400}
    assert answer.content_type.endswith("json")


def test_no_keys_in_the_query_are_asked_for(alice: Caller) -> None:
    answer = alice.get("/cache/")
    assert (answer.status, answer.errors) == (400, {"keys": ["Say which keys: ?key=NAME, as often as you like."]})
    assert alice.get("/cache/?" + "&".join(["key=a"] * 1001)).status == 400
