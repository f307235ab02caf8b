"""Reading a collection: pages, forms, versions, who may, and which answers one has already."""

import csv
import json
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import pytest

from badgerjobs.workspaces.models import Scope
from slurps.collecting.reading import pages
from slurps.models import Collection
from slurps.storing.rolling_back import roll_back
from tests.callers import Answer, Caller, caller_for
from tests.factories import NOW, make_collection
from tests.slurps.collecting.reads import PEOPLE, address, ids, people, rows, text
from tests.slurps.storing.loads import load, staged

pytestmark = pytest.mark.django_db


def numbers(first: int, count: int) -> list[dict[str, Any]]:
    return [{"id": n} for n in range(first, first + count)]


def collection_of(caller: Caller, **fields: Any) -> Collection:
    return make_collection(caller.application, **{"name": "people", "mode": "versioned", "keep": 5, **fields})


def test_all_rows_come_as_a_bare_list_of_the_version_that_is_current(alice: Caller) -> None:
    collection = collection_of(alice)
    assert (rows(alice).body, rows(alice).headers["X-Collection-Version"]) == ([], "0")
    load(collection, PEOPLE)
    answer = rows(alice)
    assert (answer.body, answer.content_type) == (PEOPLE, "application/json")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Vary"] == "Authorization, Accept"
    assert answer.headers["X-Collection-Version"] == "1"


def test_what_is_being_loaded_is_not_seen(alice: Caller) -> None:
    collection = people(alice)
    staged(collection, numbers(7, 3))
    assert rows(alice).body == PEOPLE


@pytest.mark.parametrize("mode", ["normal", "versioned", "accumulative", "upserted"])
def test_more_rows_than_are_fetched_at_once_are_streamed(
    alice: Caller, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = collection_of(alice, mode=mode, key=["id"] if mode == "upserted" else [])
    monkeypatch.setattr(pages, "at_once", lambda _version: 7)
    for expected in (6, 7, 8, 14, 22):
        load(collection, numbers(0, expected))
        found = rows(alice)
        assert ("Content-Length" in found.headers) is (len(found.body) <= 7)
        if mode != "accumulative":
            assert ids(found) == list(range(expected))
        assert len(text(alice, _format="jsonl").splitlines()) == len(found.body)


class TestPages:
    def test_have_a_frame_if_asked(self, alice: Caller) -> None:
        load(collection_of(alice), numbers(0, 7))
        body = rows(alice, _limit=3, _with_meta="true").body
        cursor = body.pop("cursor")
        assert body.pop("cursor_before") is None
        assert body == {
            "page": 1, "next": 2, "previous": None, "last": 3, "count": 7, "limit": 3, "version": 1,
            "items": numbers(0, 3),
        }  # fmt: skip
        second = rows(alice, _limit=3, _with_meta="true", _cursor=cursor).body
        assert (second["page"], second["count"], second["items"]) == (None, None, numbers(3, 3))
        back = rows(alice, _limit=3, _with_meta="true", _cursor=second["cursor_before"]).body
        assert (back["items"], back["page"], back["cursor_before"]) == (numbers(0, 3), None, None)
        assert rows(alice, _limit=3, _with_meta="true", _cursor=back["cursor"]).body["items"] == numbers(3, 3)
        last = rows(alice, _limit=3, _with_meta="1", _page=3).body
        assert (last["page"], last["next"], last["previous"], last["cursor"]) == (3, None, 2, None)
        assert last["items"] == numbers(6, 1)
        assert rows(alice, _limit=2, _cursor=last["cursor_before"]).body == numbers(4, 2)
        beyond = rows(alice, _limit=3, _with_meta="1", _page=9).body
        assert (beyond["items"], beyond["next"], beyond["previous"]) == ([], None, 3)

    def test_have_a_hundred_rows_unless_told_otherwise(self, alice: Caller) -> None:
        load(collection_of(alice), numbers(0, 130))
        assert len(rows(alice).body) == 130
        assert ids(rows(alice, _page=2)) == list(range(100, 130))
        assert ids(rows(alice, _with_meta="true")) == list(range(100))

    def test_name_the_next_one_in_a_header(self, alice: Caller) -> None:
        load(collection_of(alice), numbers(0, 5))
        found, where = [], address(_limit=2, id__ne=1)
        while where:
            answer = alice.get(where.replace("http://testserver", ""))
            found += ids(answer)
            where = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
        assert found == [0, 2, 3, 4]

    def test_are_right_where_places_are_empty(self, alice: Caller) -> None:
        collection = collection_of(alice, mode="accumulative_versioned")
        for first in (0, 10, 20):
            load(collection, numbers(first, 10))
        roll_back(collection=collection, to=collection.versions.get(number=1), now=NOW)
        load(collection, numbers(50, 10))
        expected = [*range(10), *range(50, 60)]
        assert ids(rows(alice)) == expected
        found = [ids(rows(alice, _limit=3, _page=number)) for number in range(1, 8)]
        assert [one for page in found for one in page] == expected
        assert ids(rows(alice, _limit=3, _page=2, _sort="-$position")) == [56, 55, 54]
        assert ids(rows(alice, _limit=3, _page=4, version=3)) == [9, 10, 11]
        assert ids(rows(alice, _limit=4, _page=3, _sort="-$position", version=3)) == [21, 20, 19, 18]

    def test_that_are_too_large_are_refused(self, alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        load(collection_of(alice), numbers(0, 5))
        monkeypatch.setattr(pages, "MOST_BYTES", 20)
        answer = rows(alice, _limit=5)
        assert (answer.status, "ask for fewer at once" in answer.body["detail"]) == (422, True)
        assert rows(alice, _limit=1).status == 200


class TestCursors:
    def cursor(self, caller: Caller, **query: Any) -> str:
        cursor: str = rows(caller, _limit=2, _with_meta="true", **query).body["cursor"]
        return cursor

    def test_go_through_the_version_that_they_began_with(self, alice: Caller) -> None:
        collection = collection_of(alice)
        load(collection, numbers(0, 4))
        cursor = self.cursor(alice)
        load(collection, numbers(10, 4))
        answer = rows(alice, _cursor=cursor)
        assert (ids(answer), answer.headers["X-Collection-Version"]) == ([2, 3], "1")
        assert rows(alice, _cursor=cursor, version=2).status == 400

    def test_end_when_it_is_kept_no_more(self, alice: Caller) -> None:
        collection = collection_of(alice, keep=1)
        load(collection, numbers(0, 4))
        cursor = self.cursor(alice)
        load(collection, numbers(10, 4))
        answer = rows(alice, _cursor=cursor)
        assert (answer.status, "begin anew" in answer.body["detail"]) == (409, True)

    @pytest.mark.parametrize("mode", ["upserted", "accumulative"])
    def test_go_on_where_rows_keep_their_places(self, alice: Caller, mode: str) -> None:
        collection = collection_of(alice, mode=mode, key=["id"] if mode == "upserted" else [])
        load(collection, numbers(0, 4))
        cursor = self.cursor(alice)
        load(collection, numbers(10, 4))
        assert ids(rows(alice, _cursor=cursor)) == [2, 3, 10, 11, 12, 13]

    def test_belong_to_a_query_and_a_collection(self, alice: Caller) -> None:
        load(collection_of(alice), numbers(0, 4))
        load(make_collection(alice.application, name="others"), numbers(0, 4))
        cursor = self.cursor(alice, id__gte=0)
        assert ids(rows(alice, _cursor=cursor, id__gte=0)) == [2, 3]
        for other in ({}, {"id__gte": 1}, {"id__gte": 0, "_sort": "id"}, {"id__gte": 0, "_search": "2"}):
            assert "another query" in rows(alice, _cursor=cursor, **other).body["detail"]
        query = urlencode({"$cursor": cursor, "id__gte": 0})
        assert alice.get(f"/collections/others/?{query}").status == 400
        assert rows(alice, _cursor="").status == 200

    def test_tell_nothing_of_what_they_hold(self, alice: Caller) -> None:
        load(collection_of(alice), [{"id": "secret"}, {"id": "secret"}, {"id": "x"}])
        assert "secret" not in self.cursor(alice, _sort="id")


class TestVersions:
    def test_any_that_is_kept_is_read(self, alice: Caller) -> None:
        collection = collection_of(alice, keep=2)
        for first in (0, 10, 20):
            load(collection, numbers(first, 2))
        assert ids(rows(alice, version=2)) == ids(rows(alice, _version=2)) == [10, 11]
        for number in (1, 4):
            answer = rows(alice, version=number)
            assert (answer.status, f"no version {number}" in answer.body["detail"]) == (404, True)

    def test_a_pinned_one_is_read_in_the_newest_ones_stead(self, alice: Caller) -> None:
        collection = collection_of(alice)
        load(collection, numbers(0, 2))
        collection.pinned = collection.current
        collection.save()
        load(collection, numbers(10, 2))
        assert ids(rows(alice)) == [0, 1]
        assert ids(rows(alice, version=2)) == [10, 11]


class TestFields:
    def test_are_chosen(self, alice: Caller) -> None:
        people(alice)
        answer = rows(alice, _fields="id,address.city,active,nothing", id__lte=3)
        assert answer.body == [
            {"id": 1, "address.city": "Bern"},
            {"id": 2, "address.city": "Basel"},
            {"id": 3, "active": True},
        ]
        assert rows(alice, _fields="address", id=3).body == [{"address": None}]
        assert rows(alice, _fields="nothing").body == [{}, {}, {}, {}, {}]

    def test_are_the_columns_of_a_table(self, alice: Caller) -> None:
        people(alice)
        lines = list(csv.reader(StringIO(text(alice, _format="csv", _fields="id,address.city"))))
        assert lines[:3] == [["id", "address.city"], ["1", "Bern"], ["2", "Basel"]]


class TestForms:
    def test_a_table_has_every_column_that_its_rows_may_have(self, alice: Caller) -> None:
        collection = collection_of(alice, mode="accumulative")
        load(collection, [{"id": 1, "name": 'Ann "A", Lee'}])
        load(collection, [{"id": 2, "more": {"a": [1, None]}, "no": None, "yes": True}])
        lines = list(csv.reader(StringIO(text(alice, _format="csv"))))
        assert lines == [
            ["id", "name", "more", "no", "yes"],
            ["1", 'Ann "A", Lee', "", "", ""],
            ["2", "", '{"a": [1, null]}', "", "true"],
        ]

    def test_a_table_runs_nothing_in_a_spreadsheet(self, alice: Caller) -> None:
        load(collection_of(alice), [{"id": -5, "=cmd": text} for text in ("=1+1", "@x", "-5", "+5", "\tx", "a=b")])
        lines = list(csv.reader(StringIO(text(alice, _format="csv"))))
        assert lines[0] == ["id", "'=cmd"]
        assert [line[1] for line in lines[1:]] == ["'=1+1", "'@x", "'-5", "'+5", "'\tx", "a=b"]
        assert {line[0] for line in lines[1:]} == {"-5"}

    def test_lines_of_json(self, alice: Caller) -> None:
        people(alice)
        assert [json.loads(line) for line in text(alice, _format="jsonl").splitlines()] == PEOPLE

    @pytest.mark.parametrize(
        ("accept", "expected"),
        [
            ("text/csv", "text/csv"),
            ("application/x-ndjson", "application/x-ndjson"),
            ("text/html, application/jsonl;q=0.9", "application/x-ndjson"),
            ("*/*", "application/json"),
            ("text/html", "application/json"),
        ],
    )
    def test_are_what_is_accepted(self, alice: Caller, accept: str, expected: str) -> None:
        load(collection_of(alice), [{"id": 1}])
        assert rows(alice, _limit=1).content_type == "application/json"
        assert alice.get(address(), Accept=accept).content_type == expected
        assert alice.get(address(_format="json"), Accept=accept).content_type == "application/json"

    def test_numbers_keep_all_their_digits(self, alice: Caller) -> None:
        load(collection_of(alice), [{"id": 12345678901234567890123, "small": 1e-7, "text": "ü\u2028😀"}])
        assert '"id": 12345678901234567890123' in text(alice)
        assert "ü\u2028😀" in text(alice)


class TestTags:
    def test_who_has_an_answer_is_told_so(self, alice: Caller) -> None:
        collection = people(alice)
        etag = rows(alice).headers["ETag"]
        again = alice.get(address(), If_None_Match=etag)
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
        assert alice.get(address(), If_None_Match=f'"x", W/{etag}').status == 304
        assert alice.get(address(), If_None_Match="*").status == 304
        assert alice.get(address(_limit=2), If_None_Match=etag).status == 200
        assert alice.get(address(_format="csv"), If_None_Match=etag).status == 200
        load(collection, PEOPLE)
        assert alice.get(address(), If_None_Match=etag).status == 200

    def test_a_wrong_query_is_refused_all_the_same(self, alice: Caller) -> None:
        people(alice)
        assert alice.get(address(id__near=1), If_None_Match="*").status == 400

    def test_the_head_alone_looks_for_no_row(self, alice: Caller) -> None:
        people(alice)
        head = alice.send("HEAD", address(), b"")
        assert (head.status, head.body, head.headers["ETag"]) == (200, b"", rows(alice).headers["ETag"])


def test_who_sorts_by_a_field_that_no_row_has_is_told_which_there_are(alice: Caller) -> None:
    collection = people(alice, indexed=["email"])
    said = rows(alice, _sort="-nope").errors["$sort"]
    assert said == [
        "No row has the field “nope”. The columns of this version are id, name, age, address, tags, active, note."
    ]
    for known in ("-note", "address.nope", "email", "$position"):
        assert rows(alice, _sort=known).status == 200
    load(collection, [])
    assert rows(alice, _sort="nope").body == []  # nobody knows what will come


def test_a_condition_has_the_name_of_a_field(alice: Caller) -> None:
    people(alice)
    assert alice.get("/collections/people/?=1").errors == {"=": ["Before this “=” the name of a field is missing."]}
    assert rows(alice, nope=1).body == []


class TestWhoMay:
    def refused(self, caller: Caller) -> Answer:
        answer = rows(caller)
        assert answer.status in {401, 403, 404}
        return answer

    def test_tokens_with_the_scope(self, alice: Caller, charlie: Caller) -> None:
        people(alice)
        assert rows(caller_for(alice.application, scopes=[Scope.COLLECTIONS_READ])).body == PEOPLE
        others = [scope for scope in Scope.values if scope != Scope.COLLECTIONS_READ]
        assert "collections:read" in self.refused(caller_for(alice.application, scopes=others)).body["detail"]
        assert self.refused(charlie).status == 404
        assert self.refused(Caller()).status == 401

    def test_a_collection_names_the_tokens_that_may_read_it(self, alice: Caller) -> None:
        collection = people(alice, readers=["website"])
        assert rows(caller_for(alice.application, label="website")).status == 200
        assert "“test” is not among those" in self.refused(alice).body["detail"]
        collection.readers = []
        collection.save()
        assert self.refused(caller_for(alice.application, label="website")).status == 403

    def test_there_is_only_reading(self, alice: Caller) -> None:
        people(alice)
        assert alice.post("/collections/people/", {}).status == 405
        assert alice.get("/collections/nobody/").status == 404
