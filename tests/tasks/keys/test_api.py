"""Cache keys by REST: made, read, changed, listed, synced and deleted, one at a time."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs.models import Run
from badgerjobs.sources.models import DataSource
from badgerjobs.web.problems import Conflict, Invalid
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import AuditEntry
from tasks.keys.services import update_key
from tasks.models import CachedValue, CacheKey, TaskKey
from tests.callers import Caller
from tests.factories import NOW, make_key, make_run, make_runnable, make_source, make_sync, make_task, value_of

KEY = {"name": "product-1", "source": "products", "variables": {"PRODUCT_ID": "1"}}


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, list[str]]]:
    """Application and names of what was forgotten, once it was committed."""
    seen: list[tuple[int, list[str]]] = []
    monkeypatch.setattr("tasks.cache.copies.forget", lambda place, names: seen.append((place, list(names))))
    return seen


def test_a_key_is_made_with_its_defaults_and_nothing_under_it(alice: Caller, source: DataSource) -> None:
    made = alice.post("/keys/", KEY)
    assert made.status == 201
    assert made.body | {"created_at": None, "updated_at": None} == {
        **KEY, "tags": [], "ttl": None, "stale_while_revalidate": None, "stale_if_error": None, "state": "unfilled",
        "fetched_at": None, "expires_at": None, "changed_at": None, "tried_at": None, "bytes": 0, "etag": "",
        "duration": None, "error": None, "value": None, "created_at": None, "updated_at": None,
    }  # fmt: skip
    assert alice.get("/keys/product-1/").body == made.body
    assert CachedValue.objects.get().key.name == "product-1"


@pytest.mark.parametrize(
    "name", ["a b", "100%", "under_score", "back\\slash", 'it\'s "quoted"', "🦡", "x" * 400, "a?b"]
)
def test_a_name_may_be_nearly_anything_and_stands_in_its_address(alice: Caller, source: DataSource, name: str) -> None:
    assert alice.post("/keys/", {**KEY, "name": name}).status == 201
    at = f"/keys/{quote(name, safe='')}/"
    assert alice.get(at).body["name"] == name
    assert alice.patch(at, {"ttl": 5}).body["ttl"] == 5
    assert alice.delete(at).status == 204


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"name": None}, "name", "null"),
        ({"name": ""}, "name", "not empty"),
        ({"name": "a/b"}, "name", "neither “/”"),
        ({"name": "a\nb"}, "name", "control"),
        ({"name": " a"}, "name", "blank"),
        ({"name": "x" * 401}, "name", "400"),
        ({"name": "bulk"}, "name", "word of the addresses"),
        ({"name": "delete"}, "name", "word of the addresses"),
        ({"source": None}, "source", "null"),
        ({"source": 7}, "source", "as text"),
        ({"source": "nothing"}, "source", "no source with the tag “nothing”"),
        ({"source": "a\0b"}, "source", "no source"),
        ({"variables": {}}, "variables", "“products” asks for PRODUCT_ID too"),
        ({"variables": []}, "variables", "Must be an object"),
        ({"variables": {"product_id": "1"}}, "variables", "asks for PRODUCT_ID too"),
        ({"variables": {"PRODUCT_ID": "1", "X": "1"}}, "variables", "has no X: there is PRODUCT_ID."),
        ({"variables": {"PRODUCT_ID": "x" * 16_385}}, "variables", "16,384 together"),
        ({"variables": {"PRODUCT_ID": "a\0"}}, "variables", "null characters"),
        ({"variables": {"PRODUCT_ID": "\ud800"}}, "variables", "halves"),
        ({"tags": "a"}, "tags", "list"),
        ({"tags": [""]}, "tags.0", "not empty"),
        ({"tags": ["a/b"]}, "tags.0", "“/”"),
        ({"tags": ["x" * 101]}, "tags.0", "100"),
        ({"tags": [str(n) for n in range(21)]}, "tags", "20"),
        ({"ttl": 0}, "ttl", "1 to 315,360,000"),
        ({"ttl": -1}, "ttl", "whole seconds"),
        ({"ttl": True}, "ttl", "whole seconds"),
        ({"ttl": "PT5M"}, "ttl", "whole seconds"),
        ({"ttl": 10**400}, "ttl", "whole seconds"),
        ({"stale_if_error": -1}, "stale_if_error", "0 to 315,360,000"),
        ({"value": 1, "ttll": 1}, "ttll", "did you mean ttl?"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(
    alice: Caller, source: DataSource, changes: dict[str, Any], field: str, said: str
) -> None:
    answer = alice.post("/keys/", {**KEY, **changes})
    assert answer.status == 400
    assert list(answer.errors) == [field]
    assert said in answer.errors[field][0]
    assert not CacheKey.objects.exists()


@pytest.mark.parametrize(
    "text", ["1e999", "NaN", "[" * 200 + "]" * 200, "1" * 5000], ids=["huge", "nan", "deep", "digits"]
)
def test_json_that_is_none_is_refused(alice: Caller, source: DataSource, text: str) -> None:
    body = json.dumps({**KEY, "variables": {"PRODUCT_ID": "here"}}).replace('"here"', text)
    assert alice.send("POST", "/keys/", body.encode()).status == 400
    assert not CacheKey.objects.exists()


@pytest.mark.parametrize("value", ["1", "", 1, 1.5, True, None, ["a", {"b": 1}], "é🦡"])
def test_a_value_may_be_any_json(alice: Caller, source: DataSource, value: Any) -> None:
    made = alice.post("/keys/", {**KEY, "variables": {"PRODUCT_ID": value}})
    assert (made.status, made.body["variables"]) == (201, {"PRODUCT_ID": value})


def test_a_source_of_somebody_else_is_none(alice: Caller, charlie: Caller, source: DataSource) -> None:
    make_source(charlie.application, "charlies")
    answers = [alice.post("/keys/", {**KEY, "source": tag}).errors for tag in ("charlies", "nobodys")]
    assert "“charlies”" in answers[0]["source"][0]
    assert answers[0]["source"][0].replace("charlies", "nobodys") == answers[1]["source"][0]


def test_a_name_that_is_taken_is_a_conflict(alice: Caller, charlie: Caller, source: DataSource) -> None:
    make_source(charlie.application, "products")
    assert [caller.post("/keys/", KEY).status for caller in (alice, charlie, alice)] == [201, 201, 409]


def test_put_makes_a_key_and_then_gives_defaults_to_what_it_leaves_out(alice: Caller, source: DataSource) -> None:
    given = {"source": "products", "variables": {"PRODUCT_ID": "1"}}
    assert alice.put("/keys/a/", {**given, "ttl": 60, "tags": ["x"], "stale_if_error": 0}).status == 201
    answer = alice.put("/keys/a/", {**given, "name": "a", "ttl": 90})
    assert (answer.status, answer.body["ttl"], answer.body["tags"], answer.body["stale_if_error"]) == (
        200,
        90,
        [],
        None,
    )
    assert alice.put("/keys/a/", {**given, "name": "b"}).errors.keys() == {"name"}


def test_patch_changes_what_is_given(alice: Caller, source: DataSource) -> None:
    make_key(source, "a", tags=["x"], ttl_s=60)
    assert alice.patch("/keys/a/", {"name": "a", "tags": ["y", "y"]}).body["tags"] == ["y"]
    assert alice.patch("/keys/a/", {"ttl": None}).body["ttl"] is None
    assert alice.patch("/keys/a/", {"name": "b"}).errors.keys() == {"name"}
    assert alice.patch("/keys/a/", {"variables": {}}).errors.keys() == {"variables"}


def test_what_was_read_can_be_sent_back(alice: Caller, source: DataSource) -> None:
    make_key(source, "a", '{"price": 1}', ttl_s=60)
    whole = alice.get("/keys/a/").body
    assert alice.put("/keys/a/", whole).body == whole
    assert alice.patch("/keys/a/", whole).body == whole


@pytest.mark.parametrize(
    ("changes", "is_dropped"),
    [
        ({"variables": {"PRODUCT_ID": "2"}}, True),
        ({"variables": {"PRODUCT_ID": 1}}, True),
        ({"source": "others"}, True),
        ({"variables": {"PRODUCT_ID": "1"}}, False),
        ({"stale_if_error": 5, "tags": ["a"]}, False),
    ],
    ids=["another value", "a number for a text", "another source", "the same value", "another life"],
)
@pytest.mark.parametrize("how", ["patch", "bulk"])
def test_what_was_fetched_for_something_else_is_dropped(
    alice: Caller, source: DataSource, changes: dict[str, Any], is_dropped: bool, how: str
) -> None:
    make_source(alice.application, "others")
    make_key(source, "product-1", '{"price": 1}')
    if how == "patch":
        assert alice.patch("/keys/product-1/", changes).status == 200
    else:
        assert alice.post("/keys/bulk/", {"keys": [{**KEY, **changes}]}).status == 200
    found = alice.get("/keys/product-1/").body
    assert (found["value"], found["state"], found["fetched_at"]) == (
        (None, "unfilled", None) if is_dropped else ({"price": 1}, "fresh", "2026-03-02T12:00:00Z")
    )


def test_no_copy_outlives_a_change(
    alice: Caller,
    source: DataSource,
    forgotten: list[tuple[int, list[str]]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    steps: list[Any] = [
        lambda: alice.post("/keys/", KEY),
        lambda: alice.patch("/keys/product-1/", {"ttl": 5}),
        lambda: alice.put("/keys/product-1/", KEY),
        lambda: alice.post("/keys/bulk/", {"keys": [{**KEY, "ttl": 9}]}),
        lambda: alice.delete("/keys/product-1/"),
    ]
    for step in steps:
        forgotten.clear()
        with django_capture_on_commit_callbacks(execute=True):
            step()
            assert forgotten == []
        assert forgotten == [(alice.application.pk, ["product-1"])]


def test_a_key_that_is_deleted_leaves_the_tasks_that_name_it(alice: Caller, source: DataSource) -> None:
    keys = [make_key(source, name) for name in ("a", "b")]
    task = make_task(alice.application, selection="exact", pattern="", keys=keys)
    assert alice.delete("/keys/a/").status == 204
    assert alice.get("/keys/a/").status == 404
    assert [row.key.name for row in TaskKey.objects.filter(task=task)] == ["b"]
    assert CachedValue.objects.count() == 1
    assert alice.delete("/keys/a/").status == 404


def test_the_log_tells_what_was_done(alice: Caller, source: DataSource) -> None:
    alice.post("/keys/", KEY)
    alice.patch("/keys/product-1/", {"variables": {"PRODUCT_ID": "2"}, "ttl": 5})
    alice.patch("/keys/product-1/", {"ttl": 5})
    alice.post("/keys/product-1/sync/")
    alice.delete("/keys/product-1/")
    log = list(AuditEntry.objects.order_by("id").values_list("action", "subject", "changes"))
    actions = ["cachekey.create", "cachekey.update", "cachekey.sync", "cachekey.delete"]
    assert [(action, subject) for action, subject, _ in log[-4:]] == [(action, "product-1") for action in actions]
    assert log[-3][2] == {"variable PRODUCT_ID": ["1", "2"], "ttl_s": [None, 5]}


def test_how_a_key_stands_is_told_and_its_value_only_with_the_key_itself(alice: Caller, source: DataSource) -> None:
    key = make_key(source, "a", '{"price": 1}', ttl_s=60)
    CachedValue.objects.filter(key=key).update(error_class="status", error="It answered 500.")
    [row] = alice.get("/keys/").body["results"]
    whole = alice.get("/keys/a/").body
    assert whole.pop("value") == {"price": 1}
    assert row == whole
    assert (row["state"], row["bytes"], row["duration"]) == ("failed", 12, 12)
    assert (row["fetched_at"], row["expires_at"]) == ("2026-03-02T12:00:00Z", "2026-03-02T12:01:00Z")
    assert row["error"] == {"class": "status", "message": "It answered 500."}
    assert row["etag"] == value_of('{"price": 1}')["etag"]


@pytest.mark.parametrize(
    "body",
    ["[" * 150 + "]" * 150, "[" * 5000 + "]" * 5000, "1" * 5000, '{"a":-1e309}'],
    ids=["deep", "deeper", "digits", "infinite"],
)
def test_a_value_that_cannot_be_passed_on_as_json_is_text(alice: Caller, source: DataSource, body: str) -> None:
    make_key(source, "a", body)
    for answer in (alice.get("/keys/a/"), alice.patch("/keys/a/", {"ttl": 5})):
        assert (answer.status, answer.body["value"]) == (200, body)


@pytest.fixture
def shelf(alice: Caller, charlie: Caller, source: DataSource) -> Caller:
    """Alice with keys in all states; Charlie has one that would match everything."""
    other = make_source(alice.application, "others")
    make_key(source, "product-1", "1", tags=["a"])
    make_key(source, "product-11", "1", tags=["a", "b"], ttl_s=1)
    make_key(other, "Product_1")
    failed = make_key(other, "100%", "1", tags=["b"])
    CachedValue.objects.filter(key=failed).update(error_class="timeout")
    make_key(make_source(charlie.application, "products"), "product-1 100% Product_1", tags=["a", "b"])
    return alice


FILTERS = [
    ({}, ["100%", "Product_1", "product-11", "product-1"]),
    ({"contains": "product-1"}, ["product-11", "product-1"]),
    ({"contains": "t-11"}, ["product-11"]),
    ({"contains": "%"}, ["100%"]),
    ({"contains": "_"}, ["Product_1"]),
    ({"contains": "1"}, ["100%", "Product_1", "product-11", "product-1"]),
    ({"prefix": "product"}, ["product-11", "product-1"]),
    ({"prefix": "roduct"}, []),
    ({"source": "others"}, ["100%", "Product_1"]),
    ({"tag": "a"}, ["product-11", "product-1"]),
    ({"tag": "b", "source": "products"}, ["product-11"]),
    ({"state": "fresh"}, ["product-1"]),
    ({"state": "stale"}, ["product-11"]),
    ({"state": "unfilled"}, ["Product_1"]),
    ({"state": "failed"}, ["100%"]),
    ({"contains": "product", "state": "stale"}, ["product-11"]),
    ({"contains": "nothing"}, []),
]


@pytest.mark.parametrize(("query", "found"), FILTERS, ids=[json.dumps(query) for query, _ in FILTERS])
def test_a_list_is_narrowed_by_what_the_address_says(shelf: Caller, query: dict[str, str], found: list[str]) -> None:
    assert [key["name"] for key in shelf.get(f"/keys/?{urlencode(query)}").body["results"]] == found


@pytest.mark.parametrize(("query", "found"), FILTERS[1:], ids=[json.dumps(query) for query, _ in FILTERS[1:]])
def test_the_same_words_choose_what_is_deleted(shelf: Caller, query: dict[str, str], found: list[str]) -> None:
    assert shelf.post("/keys/delete/", {**query, "dry_run": True}).body == {"count": len(found), "more": False}
    assert CacheKey.objects.count() == 5
    assert shelf.post("/keys/delete/", query).body == {"count": len(found), "more": False}
    left = set(CacheKey.objects.values_list("name", flat=True))
    assert left == {"product-1", "product-11", "Product_1", "100%", "product-1 100% Product_1"} - set(found)


def test_several_states_are_asked_for_with_commas_and_unknown_ones_refused(shelf: Caller) -> None:
    found = shelf.get("/keys/?state=stale,UNFILLED").body["results"]
    assert [key["name"] for key in found] == ["Product_1", "product-11"]
    assert shelf.get("/keys/?state=old").errors.keys() == {"state"}


def test_a_list_is_walked_newest_first(alice: Caller, source: DataSource) -> None:
    for number in range(5):
        make_key(source, f"key-{number}")
    assert [key["name"] for key in alice.walk("/keys/?limit=2")] == [f"key-{number}" for number in (4, 3, 2, 1, 0)]


def test_a_list_asks_as_much_for_many_as_for_one_and_leaves_values_in_the_database(
    alice: Caller, source: DataSource
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert alice.get("/keys/").status == 200
        assert not [query["sql"] for query in captured if '"body"' in query["sql"] or '"configuration"' in query["sql"]]
        return len(captured)

    make_key(source, "a", "1")
    asked()
    few = asked()
    for number in range(20):
        make_key(make_source(alice.application, f"source-{number}"), f"key-{number}", "1")
    assert asked() == few <= 12


def test_a_sync_is_a_run_of_its_own(alice: Caller, source: DataSource) -> None:
    key = make_key(source, "a")
    answer = alice.post("/keys/a/sync/")
    assert (answer.status, answer.body["kind"], answer.body["state"]) == (202, "refresh", "queued")
    assert Run.objects.get(pk=answer.body["id"]).input == {"key": key.pk}


def test_the_history_of_a_key_is_its_own_newest_first(alice: Caller, source: DataSource) -> None:
    key, other = make_key(source, "a"), make_key(source, "b")
    runnable = make_runnable(alice.application, kind="sync")
    first, second = make_run(runnable), make_run(runnable)
    make_sync(first, key, changed=True, etag="abc", status=200)
    make_sync(first, other)
    make_sync(second, key, "failed", error_class="status", error="It answered 500.", bytes=None, changed=None)
    rows, at = alice.get("/keys/a/syncs/").body["results"], "2026-03-02T12:00:00Z"
    assert [(row["run"], row["state"], row["changed"]) for row in rows] == [
        (str(second.pk), "failed", None), (str(first.pk), "succeeded", True),
    ]  # fmt: skip
    assert rows[0]["error"] == {"class": "status", "message": "It answered 500."}
    assert rows[1] | {"id": None} == {
        "id": None, "key": "a", "run": str(first.pk), "state": "succeeded", "attempts": 1,
        "due_at": at, "started_at": at, "finished_at": at, "duration": 12, "status": 200,
        "bytes": 2, "etag": "abc", "changed": True, "error": None,
    }  # fmt: skip
    assert len(alice.get("/keys/a/syncs/?state=failed").body["results"]) == 1


def test_the_source_is_asked_again_when_a_key_is_written(alice: Caller, source: DataSource) -> None:
    """Somebody else may have changed it since the request was read."""
    key = make_key(source, "a")
    DataSource.objects.filter(pk=source.pk).update(variables=["PRODUCT_ID", "SHOP"])
    with pytest.raises(Invalid, match="asks for SHOP too"):
        update_key(key=key, by=OPERATOR, now=NOW + timedelta(1), ttl_s=5)
    CacheKey.objects.all().delete()
    with pytest.raises(Conflict, match="deleted in the meantime"):
        update_key(key=key, by=OPERATOR, now=NOW, ttl_s=5)


@pytest.mark.parametrize(("field", "what"), [("name", "A name"), ("tags", "A tag")])
def test_what_is_refused_is_called_what_it_is(alice: Caller, source: DataSource, field: str, what: str) -> None:
    for wrong, why in (("a/b", "may hold neither “/”"), (" a", "neither begins nor ends with a blank.")):
        answer = alice.post("/keys/", {**KEY, field: [wrong] if field == "tags" else wrong})
        assert f"{what} {why}" in str(answer.errors)


def test_who_says_nothing_is_asked_which_keys_are_meant(alice: Caller) -> None:
    answer = alice.post("/keys/delete/", {"dry_run": True})
    assert answer.errors == {"names": ["Say which keys: give names, or at least one filter."]}
