"""Collections by REST: made, changed, activated and deleted below their async job."""

from typing import Any

import pytest

from badgerjobs.workspaces.models import AuditEntry, Scope
from slurps.models import AsyncJob, Collection, Row, Version
from slurps.storing import indexing
from slurps.storing.staging import begin, left_tables
from tests.callers import Caller, caller_for
from tests.factories import NOW, make_async_job, make_collection
from tests.in_turn import in_turn
from tests.slurps.storing.loads import load, running, staged

BELOW = "/async-jobs/prices/collections/"


@pytest.fixture
def job(alice: Caller) -> AsyncJob:
    return make_async_job(alice.application)


def actions() -> list[str]:
    entries = AuditEntry.objects.filter(action__startswith="collection.").order_by("id")
    return list(entries.values_list("action", flat=True))


def test_one_is_made_read_listed_and_deleted(alice: Caller, job: AsyncJob) -> None:
    given = {"name": "product-prices", "mode": "upserted_versioned", "key": ["id"], "keep": 3, "indexed": ["shop"]}
    made = alice.post(BELOW, {**given, "guards": {"empty": True, "columns": "discard"}, "readers": ["site"]})
    assert made.status == 201
    assert made.body | given == made.body
    assert made.body["guards"] == {"empty": True, "columns": "discard"}
    assert (made.body["active"], made.body["version"], made.body["rows"], made.body["indexing"]) == (
        False, None, 0, False,
    )  # fmt: skip
    where = f"{BELOW}product-prices/"
    assert alice.get(where).body == made.body
    assert alice.get(BELOW).body["results"] == [made.body]
    assert alice.delete(where).status == 204
    assert alice.get(where).status == 404
    assert actions() == ["collection.create", "collection.delete"]


@pytest.mark.parametrize(("mode", "keep"), [("versioned", 10), ("accumulative_versioned", 10), ("normal", 1)])
def test_ten_versions_are_kept_unless_somebody_says_how_many(
    alice: Caller, job: AsyncJob, mode: str, keep: int
) -> None:
    made = alice.post(BELOW, {"name": "p", "mode": mode})
    assert (made.status, made.body["keep"]) == (201, keep)


def test_a_key_that_is_given_later_is_refused_by_what_is_there(alice: Caller, job: AsyncJob) -> None:
    alice.post(BELOW, {"name": "p", "mode": "normal"})
    said = "It is never changed: this one has none. Make another collection instead."
    assert alice.patch(f"{BELOW}p/", {"key": ["id"]}).errors == {"key": [said]}


@in_turn(
    "given, field, said",
    [
        ({"name": "a/b"}, "name", "letters, digits, - and _"),
        ({"name": "über"}, "name", "letters, digits, - and _"),
        ({"name": ""}, "name", "not empty"),
        ({"name": "x" * 201}, "name", "200 characters"),
        ({"mode": "merged"}, "mode", "none of normal, upserted"),
        ({"mode": "upserted"}, "key", "needs a key"),
        ({"mode": "upserted_versioned", "key": []}, "key", "needs a key"),
        ({"mode": "accumulative", "key": ["id"]}, "key", "no use for a key"),
        ({"keep": 0}, "keep", "at least 1"),
        ({"keep": 3}, "keep", "Only the versioned modes"),
        ({"mode": "versioned", "keep": 1001}, "keep", "at most 1,000"),
        ({"indexed": ["a", "b", "c", "d", "e"]}, "indexed", "at most 4"),
        ({"guards": {"columns": "refuse"}}, "guards.columns", "none of evolve, freeze, discard"),
        ({"guards": {"smaller_percent": 101}}, "guards.smaller_percent", "at most 100"),
        ({"guards": {"empty": True, "repeated_keys": True}}, "guards.repeated_keys", "Only an upserted"),
        ({"guards": {"emty": True}}, "guards.emty", "did you mean empty"),
        ({"mode": "accumulative", "guards": {"smaller_percent": 5}}, "guards.smaller_percent", "nothing gets smaller"),
        ({"colour": 1}, "colour", "There "),
    ],
)
def test_what_does_not_go_together_is_refused(alice: Caller, given: dict[str, Any], field: str, said: str) -> None:
    make_async_job(alice.application)
    answer = alice.post(BELOW, {"name": "p", "mode": "normal", **given})
    assert (answer.status, list(answer.errors)) == (400, [field]), answer.body
    assert said in answer.errors[field][0]
    assert not Collection.objects.exists()


def test_a_name_is_taken_once_in_an_application_whichever_job_has_it(
    alice: Caller, charlie: Caller, job: AsyncJob
) -> None:
    other = make_async_job(alice.application, tag="other")
    make_async_job(charlie.application)
    assert alice.post(BELOW, {"name": "p", "mode": "normal"}).status == 201
    answer = alice.post(f"/async-jobs/{other.tag}/collections/", {"name": "p", "mode": "normal"})
    assert (answer.status, "There is a collection with the name “p”" in answer.body["detail"]) == (409, True)
    assert charlie.post(BELOW, {"name": "p", "mode": "normal"}).status == 201
    assert alice.get(f"/async-jobs/{other.tag}/collections/p/").status == 404


def test_another_tenants_is_as_if_it_were_not_there(alice: Caller, charlie: Caller, job: AsyncJob) -> None:
    alice.post(BELOW, {"name": "p", "mode": "normal"})
    for where in (BELOW, f"{BELOW}p/", f"{BELOW}p/versions/", "/collections/p/"):
        assert charlie.get(where).status == 404
    assert charlie.delete(f"{BELOW}p/").status == 404


class TestChanges:
    @pytest.fixture
    def prices(self, alice: Caller, job: AsyncJob) -> Collection:
        return make_collection(
            alice.application, async_job=job, name="p", mode="upserted_versioned", key=["id"], keep=5
        )

    def test_what_may_change_does_and_what_stays_stays(self, alice: Caller, prices: Collection) -> None:
        load(prices, [{"id": 1, "shop": "a"}])
        whole = alice.get(f"{BELOW}p/").body
        answer = alice.patch(f"{BELOW}p/", {**whole, "guards": {"empty": True}, "readers": []})
        assert (answer.status, answer.body["guards"], answer.body["readers"]) == (200, {"empty": True}, [])
        for given in ({"name": "q"}, {"mode": "normal"}, {"key": ["name"]}):
            refused = alice.patch(f"{BELOW}p/", given)
            assert (refused.status, "It is never changed" in str(refused.errors)) == (400, True)
        assert actions() == ["collection.update"]

    @pytest.mark.usefixtures("prices")
    def test_what_is_given_as_it_is_changes_nothing(self, alice: Caller) -> None:
        before = alice.get(f"{BELOW}p/").body
        assert alice.patch(f"{BELOW}p/", before).body == before
        assert actions() == []

    def test_keeping_fewer_versions_lets_go_of_the_others_at_once(self, alice: Caller, prices: Collection) -> None:
        for name in "abc":
            load(prices, [{"id": 1, "name": name}])
        assert alice.patch(f"{BELOW}p/", {"keep": 1}).body["keep"] == 1
        assert list(Version.objects.values_list("number", flat=True)) == [3]
        assert Row.objects.count() == 1

    def test_other_fields_are_put_into_the_slots_of_rows_that_are_there(
        self, alice: Caller, prices: Collection
    ) -> None:
        long = "x" * 300
        values = ["text", 5, 1.5, True, None, {"a": 1}, [1], long]
        load(prices, [{"id": n, "shop": value} for n, value in enumerate(values)])
        by_load = make_collection(
            alice.application, async_job=prices.async_job, name="q", is_active=False, indexed=["id", "shop"]
        )
        load(by_load, [{"id": n, "shop": value} for n, value in enumerate(values)])
        answer = alice.patch(f"{BELOW}p/", {"indexed": ["id", "shop"]})
        assert (answer.body["indexed"], answer.body["indexing"]) == (["id", "shop"], False)
        slots = [
            list(Row.objects.filter(collection_id=one.pk).order_by("position").values_list("slot1", "slot2", "slot3"))
            for one in (prices, by_load)
        ]
        assert slots[0] == slots[1]
        alice.patch(f"{BELOW}p/", {"indexed": []})
        assert not Row.objects.filter(collection_id=prices.pk, slot1__isnull=False).exists()

    @pytest.mark.usefixtures("prices")
    def test_one_that_somebody_deletes_while_it_is_indexed_was_changed_before(
        self, alice: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            indexing, "fill", lambda collection, **_: Collection.objects.filter(pk=collection.pk).delete()
        )
        answer = alice.patch(f"{BELOW}p/", {"indexed": ["shop"]})
        assert (answer.status, answer.body["indexed"], answer.body["indexing"]) == (200, ["shop"], False)
        assert not Collection.objects.exists()

    def test_not_while_a_run_fills_it_or_a_result_waits(self, alice: Caller, prices: Collection) -> None:
        run = running(prices)
        version = begin(collection=prices, run_id=run.pk, worker=run.worker, now=NOW)
        answer = alice.patch(f"{BELOW}p/", {"indexed": ["shop"]})
        assert (answer.status, "is loading rows" in answer.body["detail"]) == (409, True)
        assert alice.patch(f"{BELOW}p/", {"guards": {"empty": True}}).status == 200
        version.stage = "held"
        version.save()
        answer = alice.patch(f"{BELOW}p/", {"indexed": ["shop"]})
        assert (answer.status, "waits for approval" in answer.body["detail"]) == (409, True)


def test_one_is_active_at_most(alice: Caller, job: AsyncJob) -> None:
    for name in ("a", "b"):
        alice.post(BELOW, {"name": name, "mode": "normal"})
    assert alice.post(f"{BELOW}a/activate/").body["active"] is True
    assert alice.post(f"{BELOW}b/activate/").body["active"] is True
    assert [each["active"] for each in alice.get(BELOW).body["results"]] == [True, False]
    assert alice.post(f"{BELOW}b/activate/").status == 200
    assert alice.post(f"{BELOW}b/deactivate/").body["active"] is False
    assert not Collection.objects.filter(is_active=True).exists()
    entry = AuditEntry.objects.filter(action="collection.activate").order_by("id").last()
    assert entry
    assert (entry.subject, entry.changes) == ("b", {"active": ["a", "b"]})
    assert actions().count("collection.activate") == 2


def test_deleting_one_leaves_no_table_of_what_was_being_loaded(alice: Caller, job: AsyncJob) -> None:
    collection = make_collection(alice.application, async_job=job, name="p", mode="upserted", key=["id"])
    staged(collection, [{"id": 1}])
    assert len(left_tables()) == 0
    assert alice.delete(f"{BELOW}p/").status == 204
    assert not Version.objects.exists()
    assert left_tables() == []


@pytest.mark.parametrize("scopes", [[Scope.READ], [Scope.COLLECTIONS_READ]])
def test_who_may_only_read_changes_nothing(alice: Caller, job: AsyncJob, scopes: list[str]) -> None:
    reader = caller_for(alice.application, scopes=scopes)
    assert reader.post(BELOW, {"name": "p", "mode": "normal"}).status == 403
    assert reader.get(BELOW).status == (200 if Scope.READ in scopes else 403)
