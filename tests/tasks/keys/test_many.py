"""Many cache keys in one call: all or none, told by place, in as many statements for a thousand as for two."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.sources.models import DataSource
from badgerjobs.web.problems import Invalid
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import AuditEntry
from tasks.keys import many
from tasks.keys.many import MOST, delete_keys, upsert_keys
from tasks.models import CachedValue, CacheKey, TaskKey
from tests.callers import Caller
from tests.factories import NOW, make_key, make_source, make_task


def item(number: int, **more: Any) -> dict[str, Any]:
    return {"name": f"product-{number:05}", "source": "products", "variables": {"PRODUCT_ID": str(number)}, **more}


def items(count: int, **more: Any) -> dict[str, Any]:
    return {"keys": [item(number, **more) for number in range(count)]}


def test_keys_are_made_changed_or_left_as_they_are(alice: Caller, source: DataSource) -> None:
    assert alice.post("/keys/bulk/", items(3)).body == {"created": 3, "updated": 0, "unchanged": 0}
    assert alice.post("/keys/bulk/", items(5)).body == {"created": 2, "updated": 0, "unchanged": 3}
    second = {"keys": [item(0, ttl=60, tags=["a", "b"], stale_if_error=0), item(1), item(9)]}
    assert alice.post("/keys/bulk/", second).body == {"created": 1, "updated": 1, "unchanged": 1}
    key = alice.get("/keys/product-00000/").body
    assert (key["ttl"], key["tags"], key["stale_if_error"], key["variables"]) == (
        60,
        ["a", "b"],
        0,
        {"PRODUCT_ID": "0"},
    )
    assert alice.post("/keys/bulk/", {"keys": [item(0)]}).body["updated"] == 1
    assert alice.get("/keys/product-00000/").body["ttl"] is None
    assert CachedValue.objects.count() == CacheKey.objects.count() == 6


def test_keys_of_others_with_the_same_names_are_left_alone(alice: Caller, charlie: Caller, source: DataSource) -> None:
    theirs = make_key(make_source(charlie.application, "products"), "product-00000", "1")
    assert alice.post("/keys/bulk/", items(1)).body["created"] == 1
    theirs.refresh_from_db()
    assert (theirs.application_id, theirs.value.body) == (charlie.application.pk, "1")


WRONG: list[tuple[Any, dict[str, str]]] = [
    ([item(1), {**item(2), "variables": {}}], {"keys.1.variables": "asks for PRODUCT_ID too"}),
    ([{**item(1), "source": "none"}, item(2)], {"keys.0.source": "no source with the tag “none”"}),
    ([item(1), item(2), item(1)], {"keys.2.name": "given twice: here, and at 0"}),
    (
        [item(1), 7, "x", None],
        {"keys.1.non_field_errors": "object", "keys.2.non_field_errors": "object", "keys.3": "null"},
    ),
    ([{**item(1), "name": "bulk"}], {"keys.0.name": "word of the addresses"}),
    ([{**item(1), "ttl": 0, "tags": ["/"]}], {"keys.0.ttl": "whole seconds", "keys.0.tags.0": "“/”"}),
    ([{**item(1), "tll": 1}], {"keys.0.tll": "did you mean ttl?"}),
    ([], {"keys": "at least one"}),
    ({}, {"keys": "list"}),
    (None, {"keys": "null"}),
]


@pytest.mark.parametrize(("keys", "said"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_told_by_place_and_nothing_is_done(
    alice: Caller, source: DataSource, keys: Any, said: dict[str, str]
) -> None:
    answer = alice.post("/keys/bulk/", {"keys": keys})
    assert answer.status == 400
    assert answer.errors.keys() == said.keys()
    assert [place for place, words in said.items() if words not in answer.errors[place][0]] == []
    assert not CacheKey.objects.exists()


def test_twenty_mistakes_are_told_and_no_more(alice: Caller, source: DataSource) -> None:
    answer = alice.post("/keys/bulk/", items(100, ttl=-1))
    assert list(answer.errors) == [f"keys.{place}.ttl" for place in range(20)]


def test_more_than_there_may_be_are_counted_and_not_looked_at(alice: Caller, source: DataSource) -> None:
    answer = alice.post("/keys/bulk/", {"keys": [{}] * (MOST + 1)})
    assert (answer.status, "at most 10,000" in answer.errors["keys"][0]) == (400, True)


def test_as_many_as_there_may_be_fit_into_one_request() -> None:
    longest = items(MOST, tags=["catalogue"], ttl=3600, stale_while_revalidate=60, stale_if_error=86_400)
    assert len(json.dumps(longest)) < settings.DATA_UPLOAD_MAX_MEMORY_SIZE


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> int:
    """How many rows a statement takes: few, so that a test need not make thousands."""
    monkeypatch.setattr(many, "BATCH", 50)
    return 50


@pytest.mark.parametrize("case", ["new", "the same", "changed", "of another value"])
def test_statements_are_counted_by_batches_and_not_by_keys(
    alice: Caller, source: DataSource, batches: int, case: str
) -> None:
    more: dict[str, Any] = {"changed": {"ttl": 5}, "of another value": {"variables": {"PRODUCT_ID": "x"}}}

    def asked(count: int) -> int:
        CacheKey.objects.all().delete()
        if case != "new":
            assert alice.post("/keys/bulk/", items(count)).status == 200
        given = items(count, **more.get(case, {}))
        with CaptureQueriesContext(connection) as captured:
            assert alice.post("/keys/bulk/", given).status == 200
        return len(captured)

    asked(1)  # the token's first use is written down
    one, full, two, three = (asked(count) for count in (2, batches, batches + 1, 2 * batches + 1))
    assert one == full
    assert 0 < two - full == three - two <= 4


def test_one_entry_of_the_log_tells_of_all(alice: Caller, source: DataSource) -> None:
    alice.post("/keys/bulk/", items(30))
    alice.post("/keys/bulk/", {"keys": [item(0, ttl=5), item(99)]})
    alice.post("/keys/bulk/", {"keys": [item(99)]})
    first, second = AuditEntry.objects.filter(action="cachekey.upsert").order_by("id")
    assert (first.subject, second.subject) == ("30 cache keys", "2 cache keys")
    assert first.changes["created"] == [None, 30]
    assert first.changes["names created"][1][-1] == "and 10 more"
    assert second.changes == {
        "created": [None, 1], "updated": [None, 1], "names created": [None, ["product-00099"]],
        "names updated": [None, ["product-00000"]],
    }  # fmt: skip


def test_all_are_made_or_none(alice: Caller, source: DataSource, batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"name": f"key-{number:03}", "source": source, "variables": {"PRODUCT_ID": "1"}} for number in range(120)]
    written = many._written
    calls: list[int] = []

    def breaking(*given: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("the database is gone")
        return written(*given)

    monkeypatch.setattr(many, "_written", breaking)
    with pytest.raises(RuntimeError):
        upsert_keys(application=alice.application, items=rows, by=OPERATOR, now=NOW)
    assert not CacheKey.objects.exists()


def test_a_source_that_went_meanwhile_is_told_by_place(alice: Caller, source: DataSource) -> None:
    rows = [{"name": "a", "source": source, "variables": {"PRODUCT_ID": "1"}}]
    DataSource.objects.all().delete()
    with pytest.raises(Exception, match="deleted in the meantime") as refused:
        upsert_keys(application=alice.application, items=rows, by=OPERATOR, now=NOW)
    assert not isinstance(refused.value, Invalid)
    assert refused.value.detail.keys() == {"keys"}  # type: ignore[attr-defined]


def test_many_are_deleted_in_as_many_statements_as_one(alice: Caller, source: DataSource) -> None:
    alice.post("/keys/bulk/", items(60))
    task = make_task(alice.application, selection="exact", pattern="", keys=CacheKey.objects.all())

    def asked(**choice: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert alice.post("/keys/delete/", choice).status == 200
        return len(captured)

    assert asked(names=["product-00000"]) == asked(prefix="product-0000") == asked(contains="product")
    assert not CacheKey.objects.exists()
    assert not CachedValue.objects.exists()
    assert not TaskKey.objects.filter(task=task).exists()
    log = AuditEntry.objects.filter(action="cachekey.delete_many").order_by("id")
    assert [entry.subject for entry in log] == ["1 cache key", "9 cache keys", "50 cache keys"]


def test_nobody_deletes_all_by_saying_nothing(alice: Caller, source: DataSource) -> None:
    make_key(source, "a")
    choices: list[dict[str, Any]] = [{}, {"dry_run": False}, {"names": []}, {"state": "old"}, {"prefx": "a"}]
    for choice in choices:
        assert alice.post("/keys/delete/", choice).status == 400
    assert CacheKey.objects.count() == 1


def test_only_so_many_are_deleted_by_one_request(
    alice: Caller, source: DataSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.keys.api.MOST", 2)
    alice.post("/keys/bulk/", items(5))
    answers = [alice.post("/keys/delete/", {"source": "products"}).body for _ in range(3)]
    assert answers == [{"count": 2, "more": True}, {"count": 2, "more": True}, {"count": 1, "more": False}]


def test_names_are_deleted_by_whose_they_are(alice: Caller, charlie: Caller, source: DataSource) -> None:
    make_key(make_source(charlie.application, "products"), "a")
    make_key(source, "a")
    assert alice.post("/keys/delete/", {"names": ["a", "nobody"]}).body["count"] == 1
    assert [key.application for key in CacheKey.objects.all()] == [charlie.application]
    theirs = list(CacheKey.objects.values_list("pk", flat=True))
    assert delete_keys(application=alice.application, ids=theirs, by=OPERATOR, now=NOW) == 0
    assert CacheKey.objects.count() == 1
