"""Versions by REST: listed, approved and dropped, rolled back, pinned, compared."""

from typing import Any

import pytest

from badgerjobs.workspaces.models import AuditEntry, Scope
from slurps.models import Collection, Row, Stage, Version
from slurps.storing import rolling_back
from slurps.storing.staging import begin
from tests.callers import Answer, Caller, caller_for
from tests.factories import NOW, make_async_job, make_collection
from tests.slurps.collecting.held import FLAGS, hold_rows
from tests.slurps.collecting.reads import rows
from tests.slurps.storing.loads import load, running, seen

BELOW = "/async-jobs/prices/collections/people/versions/"
ANN, BOB, CY = {"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob"}, {"id": 3, "name": "Cy"}
ANNA = {"id": 1, "name": "Anna"}


def collection_of(caller: Caller, mode: str, **fields: Any) -> Collection:
    key = ["id"] if "upsert" in mode else []
    job = make_async_job(caller.application)
    return make_collection(
        caller.application, async_job=job, name="people", mode=mode, **{"key": key, "keep": 9, **fields}
    )


def difference(caller: Caller, query: str = "") -> Answer:
    return caller.get(f"{BELOW}difference/{query}")


def test_each_is_told_with_its_counts(alice: Caller) -> None:
    collection = collection_of(alice, "upserted_versioned")
    load(collection, [ANN, BOB])
    load(collection, [ANNA, BOB, CY])
    second, first = alice.get(BELOW).body["results"]
    assert (second["number"], second["stage"], second["rows"], second["current"]) == (2, "ready", 3, True)
    assert (second["written"], second["added"], second["changed"], second["unchanged"]) == (3, 1, 1, 1)
    assert (first["number"], first["rows"], first["current"], first["pinned"]) == (1, 2, False, False)
    assert second["columns"] == [{"name": "id", "types": {"number": 3}}, {"name": "name", "types": {"text": 3}}]
    assert second["run"] == str(Version.objects.get(number=2).run_id)
    assert alice.get(f"{BELOW}1/").body == first
    assert alice.get(f"{BELOW}3/").status == 404
    assert alice.get(f"{BELOW}?stage=held").body["results"] == []
    assert alice.get(f"{BELOW}?stage=lost").status == 400


def test_a_page_of_them_has_a_hundred_since_each_may_tell_of_a_thousand_columns(alice: Caller) -> None:
    load(collection_of(alice, "versioned"), [ANN])
    assert len(alice.get(f"{BELOW}?limit=100").body["results"]) == 1
    assert alice.get(f"{BELOW}?limit=101").status == 400


@pytest.mark.parametrize("number", ["77", "abc", "-1", "1" * 12])
def test_one_that_is_not_there_is_told_by_its_name(alice: Caller, number: str) -> None:
    load(collection_of(alice, "versioned"), [ANN])
    answer = alice.post(f"{BELOW}{number}/pin/")
    said = f"The collection “people” has no version {number}, or does not keep it any more."
    assert (answer.status, answer.body["detail"]) == (404, said)


@pytest.mark.parametrize("mode", ["normal", "upserted", "accumulative_versioned"])
def test_what_waits_is_approved(alice: Caller, mode: str) -> None:
    collection = collection_of(alice, mode)
    load(collection, [ANN])
    hold_rows(collection, [BOB])
    waits = alice.get(f"{BELOW}held/").body
    assert (waits["number"], waits["stage"], waits["flagged"]) == (None, "held", FLAGS)
    assert rows(alice).body == [ANN]
    approved = alice.post(f"{BELOW}held/approve/")
    assert (approved.status, approved.body["number"], approved.body["current"]) == (200, 2, True)
    assert approved.body["approved_at"] == alice.get(f"{BELOW}2/").body["approved_at"] != waits["approved_at"]
    assert rows(alice).body == ([BOB] if mode == "normal" else [ANN, BOB])
    assert alice.post(f"{BELOW}held/approve/").status == 404
    assert alice.post(f"{BELOW}2/approve/").status == 409
    assert AuditEntry.objects.latest("id").action == "collection.approve"


def test_what_waits_is_dropped(alice: Caller) -> None:
    collection = collection_of(alice, "upserted")
    load(collection, [ANN])
    hold_rows(collection, [ANNA])
    assert alice.post(f"{BELOW}held/drop/").status == 204
    assert rows(alice).body == [ANN]
    assert alice.post(f"{BELOW}held/drop/").status == 404
    assert alice.post(f"{BELOW}1/drop/").status == 409
    load(collection, [BOB])
    assert rows(alice).body == [ANN, BOB]


@pytest.mark.parametrize("mode", ["versioned", "upserted_versioned", "accumulative_versioned"])
def test_it_is_rolled_back_and_goes_on_from_there(alice: Caller, mode: str) -> None:
    collection = collection_of(alice, mode)
    for given in ([ANN], [ANNA, BOB]):
        load(collection, given)
    made = alice.post(f"{BELOW}1/roll-back/")
    assert (made.status, made.body["number"], made.body["rolled_back_to"], made.body["run"]) == (201, 3, 1, None)
    assert rows(alice).body == [ANN]
    assert rows(alice, version=2).body == seen(collection, collection.versions.get(number=2))
    load(collection, [CY])
    assert rows(alice).body == ([CY] if mode == "versioned" else [ANN, CY])
    assert rows(alice, _limit=1, _page=2).body == ([] if mode == "versioned" else [CY])
    assert alice.post(f"{BELOW}held/roll-back/").status == 404
    assert alice.post(f"{BELOW}7/roll-back/").status == 404


@pytest.mark.parametrize("mode", ["upserted_versioned", "accumulative_versioned"])
def test_not_while_a_run_fills_it_or_a_result_waits(alice: Caller, mode: str) -> None:
    collection = collection_of(alice, mode)
    load(collection, [ANN])
    load(collection, [BOB])
    run = running(collection)
    version = begin(collection=collection, run_id=run.pk, worker=run.worker, now=NOW)
    answer = alice.post(f"{BELOW}1/roll-back/")
    assert (answer.status, "is loading rows" in answer.body["detail"]) == (409, True)
    version.stage = Stage.HELD
    version.save()
    assert alice.post(f"{BELOW}1/roll-back/").status == 409
    assert rows(alice).body == [ANN, BOB]


def test_one_is_pinned_and_outlives_what_runs_bring(alice: Caller) -> None:
    collection = collection_of(alice, "normal")
    load(collection, [ANN])
    assert alice.post(f"{BELOW}1/pin/").body["pinned"] == 1
    for given in ([BOB], [CY]):
        load(collection, given)
    assert rows(alice).body == [ANN]
    assert [(each["number"], each["pinned"]) for each in alice.get(BELOW).body["results"]] == [(3, False), (1, True)]
    assert alice.post(f"{BELOW}3/unpin/").status == 409
    assert alice.post(f"{BELOW}1/unpin/").body["pinned"] is None
    assert rows(alice).body == [CY]
    assert Row.objects.count() == 1
    assert alice.get(f"{BELOW}1/").status == 404
    entries = AuditEntry.objects.filter(action__startswith="collection.").order_by("id")
    assert list(entries.values_list("action", "changes")) == [
        ("collection.pin", {"pinned": [None, 1]}),
        ("collection.unpin", {"pinned": [1, None]}),
    ]


class TestDifference:
    @pytest.mark.parametrize(("mode", "by"), [("upserted_versioned", "place"), ("versioned", "key")])
    def test_what_was_added_changed_and_removed(self, alice: Caller, mode: str, by: str) -> None:
        collection = collection_of(alice, mode, key=["id"])
        load(collection, [ANN, BOB])
        load(collection, [ANNA, CY])
        answer = difference(alice)
        assert answer.body["by"] == by
        assert answer.body["added"] == {"count": 1, "rows": [CY]}
        assert answer.body["changed"] == {"count": 1, "rows": [{"before": ANN, "after": ANNA}]}
        gone = [] if mode.startswith("upserted") else [BOB]
        assert answer.body["removed"] == {"count": len(gone), "rows": gone}
        back = difference(alice, "?from=2&to=1").body
        assert (back["removed"]["rows"], back["added"]["rows"]) == ([CY], gone)

    def test_rows_without_a_key_go_by_what_they_hold(self, alice: Caller) -> None:
        collection = collection_of(alice, "versioned")
        load(collection, [ANN, BOB, BOB])
        load(collection, [BOB, ANNA, CY, CY])
        answer = difference(alice).body
        assert answer["by"] == "content"
        assert answer["added"] == {"count": 3, "rows": [ANNA, CY]}
        assert answer["removed"] == {"count": 2, "rows": [ANN, BOB]}
        assert answer["changed"] == {"count": 0, "rows": []}

    def test_what_is_only_added(self, alice: Caller) -> None:
        collection = collection_of(alice, "accumulative_versioned")
        for given in ([ANN], [ANN, BOB], [CY]):
            load(collection, given)
        assert difference(alice, "?from=1").body["added"] == {"count": 3, "rows": [ANN, BOB, CY]}
        assert difference(alice).body["added"] == {"count": 1, "rows": [CY]}

    @pytest.mark.parametrize("mode", ["versioned", "upserted_versioned", "accumulative_versioned"])
    def test_what_was_rolled_back_to_is_the_same(self, alice: Caller, mode: str) -> None:
        collection = collection_of(alice, mode)
        for given in ([ANN], [ANNA, BOB]):
            load(collection, given)
        alice.post(f"{BELOW}1/roll-back/")
        answer = difference(alice, "?from=1&to=3").body
        assert [answer[what]["count"] for what in ("added", "removed", "changed")] == [0, 0, 0]

    @pytest.mark.parametrize(
        ("mode", "expected"), [("normal", (1, 1, 0)), ("upserted", (1, 0, 1)), ("accumulative", (4, 0, 0))]
    )
    def test_what_waits_would_do(self, alice: Caller, mode: str, expected: Any) -> None:
        collection = collection_of(alice, mode, key=["id"] if mode != "accumulative" else [])
        load(collection, [ANN, BOB])
        hold_rows(collection, [ANN, BOB, CY, ANNA] if mode != "normal" else [ANN, CY])
        answer = difference(alice, "?to=held").body
        assert tuple(answer[what]["count"] for what in ("added", "removed", "changed")) == expected
        assert len(answer["added"]["rows"]) == expected[0]

    def test_the_first_version_is_all_new(self, alice: Caller) -> None:
        collection = collection_of(alice, "normal")
        assert difference(alice).status == 409
        load(collection, [ANN])
        assert difference(alice).body["added"] == {"count": 1, "rows": [ANN]}

    def test_the_first_hundred_are_shown_and_fewer_where_they_are_long(self, alice: Caller) -> None:
        collection = collection_of(alice, "accumulative_versioned")
        load(collection, [{"n": n} for n in range(150)])
        load(collection, [{"n": n, "text": "x" * 500_000} for n in range(5)])
        assert [row["n"] for row in difference(alice, "?to=1").body["added"]["rows"]] == list(range(100))
        found = difference(alice).body["added"]
        assert (found["count"], len(found["rows"])) == (5, 3)

    @pytest.mark.parametrize("query", ["?from=x", "?to=-1", "?to=%F0%9D%9F%99", "?from=9999999999"])
    def test_no_number_is_told(self, alice: Caller, query: str) -> None:
        load(collection_of(alice, "normal"), [ANN])
        answer = difference(alice, query)
        assert answer.status == 400
        assert "number of a version" in answer.body["detail"]
        assert difference(alice, "?from=7").status == 404


def test_a_difference_is_shown_to_those_alone_who_may_read_its_rows(alice: Caller) -> None:
    collection = collection_of(alice, "normal")
    load(collection, [ANN])
    without = caller_for(alice.application, scopes=[Scope.READ, Scope.WRITE])
    assert difference(without).status == 403
    Collection.objects.update(readers=["other"])
    assert (difference(alice).status, difference(alice).body) == (rows(alice).status, rows(alice).body)
    Collection.objects.update(readers=["test"])
    assert difference(alice).body["added"]["rows"] == [ANN]


def test_a_collection_that_is_deleted_meanwhile_is_not_rolled_back(
    alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = collection_of(alice, "versioned")
    load(collection, [ANN])
    roll_back = rolling_back.roll_back

    def deleted_first(**given: Any) -> Version:
        Collection.objects.filter(pk=collection.pk).delete()
        return roll_back(**given)

    monkeypatch.setattr(rolling_back, "roll_back", deleted_first)
    answer = alice.post(f"{BELOW}1/roll-back/")
    assert (answer.status, answer.body["detail"]) == (409, "This collection was deleted in the meantime.")
