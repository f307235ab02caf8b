"""Sources by REST: made, changed, tested and deleted; secrets that never come back."""

import json
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings

from badgerjobs.lib.vault import MASK
from badgerjobs.sources import services, trials
from badgerjobs.sources.models import DataSource
from badgerjobs.workspaces.models import AuditEntry, Scope
from tasks.models import CacheKey
from tests.callers import Caller, caller_for
from tests.e2e.receiver import Answer, Receiver
from tests.factories import NOW, make_key
from tests.in_turn import in_turn
from tests.plans import plan_of
from tests.runs.together import together
from tests.sources.fetching import JSON, says

REST = {
    "url": "https://shop.example.com/{{PRODUCT_ID}}",
    "headers": {"X-Token": "hunter2", "X-A": "{{SHOP}}"},
    "authentication": "basic",
    "username": "ann",
    "password": "hunter2",
}
GRAPHQL = {
    "url": "https://shop.example.com/graphql",
    "query": "query($id: ID!) { product(id: $id) { name } }",
    "variables": [{"name": "id", "type": "ID", "value": "{{PRODUCT_ID}}"}],
}


def made(caller: Caller, **fields: Any) -> Any:
    answer = caller.post("/sources/", {"tag": "shop", "type": "REST", "configuration": REST, **fields})
    assert answer.status == 201, answer.body
    return answer.body


def test_a_source_is_made_with_what_its_type_leaves_out(alice: Caller) -> None:
    source = made(alice, type="rest", name="The shop")

    assert {name: source[name] for name in ("tag", "name", "type", "variables", "keys", "warnings")} == {
        "tag": "shop", "name": "The shop", "type": "REST", "variables": ["PRODUCT_ID", "SHOP"], "keys": 0,
        "warnings": [],
    }  # fmt: skip
    assert source["configuration"] == {
        **REST, "headers": {"X-Token": MASK, "X-A": "{{SHOP}}"}, "password": MASK, "method": "GET", "query": {},
        "body": "", "timeout": 30, "transform": "", "token": "", "api_key": "", "api_key_name": "",
        "api_key_in": "header", "token_url": "", "client_id": "", "client_secret": "", "client_in": "header",
        "scope": "", "rows": "", "pages": "none", "page_path": "", "page_parameter": "", "page_start": 1,
        "page_size_parameter": "", "page_size": 100, "most_pages": 1000, "remember": "", "remember_start": "",
    }  # fmt: skip
    assert alice.get("/sources/shop/").body == source
    assert alice.walk("/sources/") == [source]


def test_what_is_called_is_kept_beside_what_is_encrypted(alice: Caller) -> None:
    made(alice)
    assert DataSource.objects.get().host == "shop.example.com"
    alice.patch("/sources/shop/", {"configuration": {**REST, "url": "http://example.org:8080/", "password": "x"}})
    assert DataSource.objects.get().host == "example.org:8080"


def test_secrets_never_come_back_nor_lie_open_in_the_database(alice: Caller) -> None:
    made(alice)
    made(alice, tag="api", configuration={**REST, "authentication": "bearer", "token": "hunter2"})

    said = json.dumps([alice.walk("/sources/"), list(AuditEntry.objects.values("changes"))])
    assert "hunter2" not in said
    with connection.cursor() as cursor:
        cursor.execute("SELECT configuration FROM sources_datasource")
        assert "hunter2" not in str(cursor.fetchall())


def test_what_was_read_can_be_sent_back_and_keeps_the_secrets(alice: Caller) -> None:
    made(alice)
    read = alice.get("/sources/shop/").body

    for send in (alice.patch, alice.put):
        answer = send("/sources/shop/", {**read, "name": "Shop"})
        assert answer.status == 200, answer.body
    kept = DataSource.objects.get().configuration
    assert (kept["password"], kept["headers"]["X-Token"]) == ("hunter2", "hunter2")


@pytest.mark.parametrize("change", [{"url": "https://evil.example.com/"}, {"url": "http://shop.example.com/"}])
def test_stored_secrets_are_sent_to_nobody_else(alice: Caller, change: dict[str, Any]) -> None:
    read = made(alice)["configuration"]
    for send, at in ((alice.patch, "/sources/shop/"), (alice.post, "/sources/shop/test/")):
        answer = send(at, {"configuration": {**read, **change}})
        assert "was not meant for" in answer.errors["configuration.password"][0]
        assert "was not meant for" in answer.errors["configuration.headers"][0]
    assert DataSource.objects.get().configuration["url"] == REST["url"]


def test_stars_for_nothing_stored_are_refused(alice: Caller) -> None:
    for at, given in (("/sources/", {"tag": "s"}), ("/sources/test/", {})):
        answer = alice.post(at, {**given, "type": "REST", "configuration": {**REST, "password": MASK}})
        assert "there is none. Send the value itself." in answer.errors["configuration.password"][0]


@in_turn(
    "fields, field, sentence",
    [
        ({"configuration": {}}, "configuration.url", "Give this field"),
        ({"configuration": {"url": "https://x.example", "bdy": ""}}, "configuration.bdy", "did you mean body?"),
        ({"type": "SOAP"}, "type", "“SOAP” is none of REST, GRAPHQL, JSONL, CSV, XML, SQL, COLLECTION"),
        ({"configuration": []}, "configuration", "Must be an object."),
        ({"tag": "test"}, "tag", "is a word of the addresses themselves"),
        ({"tag": "test-transform"}, "tag", "is a word of the addresses themselves"),
        ({"tag": "a/b"}, "tag", "neither “/” nor control characters"),
        ({"tag": None}, "tag", "null"),
        ({"configuration": {**REST, "transform": "return ("}}, "configuration.transform", "SyntaxError"),
        ({"configuration": {**REST, "body": "x" * 300_000}}, "configuration", "at most 262,144 are kept"),
        ({"configuration": {**REST, "body": "\0"}}, "configuration.body", "null"),
        ({"type": "GRAPHQL", "configuration": GRAPHQL | {"query": ""}}, "configuration.query", "not empty"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(alice: Caller, fields: dict[str, Any], field: str, sentence: str) -> None:
    answer = alice.post("/sources/", {"tag": "s", "type": "REST", "configuration": REST, **fields})
    assert answer.status == 400
    assert sentence.lower() in answer.errors[field][0].lower()


def test_code_that_was_stored_may_stay_though_it_does_not_compile(alice: Caller) -> None:
    read = made(alice)["configuration"]
    source = DataSource.objects.get()
    source.configuration = {**source.configuration, "transform": "return ("}
    source.save()
    answer = alice.patch("/sources/shop/", {"configuration": {**read, "transform": "return (", "timeout": 7}})
    assert (answer.status, answer.body["configuration"]["timeout"]) == (200, 7)


def test_a_tag_is_taken_once_and_a_type_is_never_changed(alice: Caller) -> None:
    made(alice)
    assert alice.post("/sources/", {"tag": "shop", "type": "REST", "configuration": REST}).status == 409
    assert "A type is never changed" in alice.patch("/sources/shop/", {"type": "GRAPHQL"}).errors["type"][0]
    assert "never changed" in alice.patch("/sources/shop/", {"tag": "other"}).errors["tag"][0]
    replaced = alice.put("/sources/shop/", {"type": "GRAPHQL", "configuration": GRAPHQL})
    assert "never changed" in replaced.errors["type"][0]


def test_put_makes_or_replaces(alice: Caller) -> None:
    body = {"type": "GRAPHQL", "configuration": GRAPHQL, "name": "One"}
    assert alice.put("/sources/one/", body).status == 201
    again = alice.put("/sources/one/", {**body, "name": "Two"})
    assert (again.status, again.body["name"], again.body["variables"]) == (200, "Two", ["PRODUCT_ID"])


def test_a_source_that_is_given_as_it_is_was_not_changed(alice: Caller) -> None:
    made(alice)
    [(before, stored)] = DataSource.objects.values_list("updated_at", "configuration")
    given = {"type": "REST", "configuration": REST}
    assert alice.put("/sources/shop/", given).status == 200
    assert list(DataSource.objects.values_list("updated_at", "configuration")) == [(before, stored)]
    assert alice.put("/sources/shop/", {**given, "name": "The shop"}).status == 200
    assert DataSource.objects.get().updated_at > before


def test_a_source_that_keys_use_stays_and_names_them(alice: Caller) -> None:
    made(alice)
    source = DataSource.objects.get()
    for name in ("b", "a"):
        make_key(source, name)

    refused = alice.delete("/sources/shop/")

    assert refused.status == 409
    assert refused.body["detail"].startswith("The source is used by the keys “a” and “b”. Delete these first")
    assert alice.get("/sources/shop/").body["keys"] == 2
    for name in "cdef":
        make_key(source, name)
    assert "“a”, “b”, “c”, “d”, “e” and others" in alice.delete("/sources/shop/").body["detail"]
    CacheKey.objects.all().delete()
    assert (alice.delete("/sources/shop/").status, alice.get("/sources/shop/").status) == (204, 404)


def test_a_key_that_comes_while_its_source_is_deleted_keeps_it(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    made(alice)
    source = DataSource.objects.get()

    def later(_: DataSource) -> str:
        make_key(source, "late")
        return ""

    monkeypatch.setattr("badgerjobs.sources.services.refusal_to_delete_source", later)
    refused = alice.delete("/sources/shop/")
    assert (refused.status, "“late”" in refused.body["detail"]) == (409, True)


def test_a_change_says_which_keys_lack_a_variable_that_it_asks_for_now(alice: Caller) -> None:
    made(alice, configuration={"url": "https://shop.example.com/{{PRODUCT_ID}}"})
    source = DataSource.objects.get()
    make_key(source, "a")
    make_key(source, "b")
    make_key(source, "c", variables={"PRODUCT_ID": "1", "LANG": None, "SHOP": "s"})
    wider = {"url": "https://shop.example.com/{{PRODUCT_ID}}/{{LANG}}"}

    changed = alice.patch("/sources/shop/", {"configuration": wider})
    assert changed.body["variables"] == ["PRODUCT_ID", "LANG"]
    assert changed.body["warnings"] == ["The keys “a” and “b” give no value for LANG: until they do, their syncs fail."]
    assert alice.patch("/sources/shop/", {"configuration": wider}).body["warnings"] == []
    CacheKey.objects.get(name="b").delete()
    widest = {"url": "https://shop.example.com/{{SHOP}}/{{now date}}"}
    changed = alice.put("/sources/shop/", {"type": "REST", "configuration": widest})
    assert changed.body["warnings"] == ["The key “a” gives no value for SHOP: until they do, their syncs fail."]


def test_the_keys_that_lack_a_variable_are_found_without_reading_and_sorting_all_of_the_source(alice: Caller) -> None:
    made(alice)
    source = DataSource.objects.get()
    CacheKey.objects.bulk_create(
        CacheKey(application=alice.application, source=source, name=f"{n}", created_at=NOW, updated_at=NOW)
        for n in range(2000)
    )
    plan = plan_of(services.without(source, "LANG")[:6])
    assert "key_of_source" in plan
    assert "Sort" not in plan


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", ["patch", "put"])
def test_nobody_waits_for_a_source_while_the_keys_that_lack_a_variable_are_looked_for(
    alice: Caller, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(alice)
    free: list[Any] = []

    def looking(source: DataSource, _names: Any) -> list[str]:
        with transaction.atomic():
            free.append(DataSource.objects.select_for_update(nowait=True).get(pk=source.pk))
        return []

    monkeypatch.setattr(services, "lacking", lambda *given: together(partial(looking, *given))[0])
    assert getattr(alice, verb)("/sources/shop/", {"type": "REST", "configuration": REST}).status == 200
    assert len(free) == 1


def test_a_source_that_was_deleted_meanwhile_is_a_conflict(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    made(alice)
    monkeypatch.setattr(
        "badgerjobs.web.definitions.rest.holder_of",
        lambda request: (DataSource.objects.all().delete(), request.user)[1],
    )
    answer = alice.patch("/sources/shop/", {"name": "x"})
    assert (answer.status, answer.body["detail"]) == (409, "This source was deleted in the meantime.")


def test_strangers_find_no_source(alice: Caller, charlie: Caller) -> None:
    made(alice)
    assert [charlie.get("/sources/shop/").status, charlie.patch("/sources/shop/", {}).status] == [404, 404]
    assert charlie.post("/sources/shop/test/", {}).status == 404
    answer = charlie.delete("/sources/shop/")
    assert (answer.status, answer.body["detail"]) == (
        404, "There is no source with the tag “shop” in this application.",
    )  # fmt: skip


def test_who_may_only_read_tests_nothing(alice: Caller) -> None:
    made(alice)
    reader = caller_for(alice.application, scopes=[Scope.READ])
    assert reader.get("/sources/shop/").status == 200
    for at in ("/sources/shop/test/", "/sources/test/", "/sources/test-transform/"):
        assert reader.post(at, {}).status == 403


def test_the_list_is_narrowed(alice: Caller) -> None:
    made(alice, name="The Shop")
    made(alice, tag="query", type="GRAPHQL", configuration=GRAPHQL)

    def tags(query: str) -> list[str]:
        return [row["tag"] for row in alice.walk(f"/sources/{query}")]

    assert (tags(""), tags("?type=graphql"), tags("?search=SHOP")) == (["query", "shop"], ["query"], ["shop"])
    assert alice.get("/sources/?type=x").status == 400


def test_a_source_that_is_not_stored_is_tested_for_real_and_nothing_is_kept(alice: Caller) -> None:
    with Receiver() as receiver, override_settings(EGRESS_ALLOW=["127.0.0.1"]):
        receiver.answer = lambda _: says('{"price": 2}', 200, *JSON, ("Set-Cookie", "hunter2"), ("X-A", "1"))
        configuration = {
            "url": f"{receiver.url}/{{{{ID}}}}",
            "transform": "console.warn('dear'); return {price: response.price * 10}",
        }
        answer = alice.post("/sources/test/", {"type": "rest", "configuration": configuration, "values": {"ID": 7}})
        [call] = receiver.calls
    assert (answer.status, call.path) == (200, "/7")
    assert answer.body.pop("duration") >= 0
    assert answer.body == {
        "ok": True, "status": 200, "bytes": 12, "value": {"price": 20}, "error": None, "answer": '{"price": 2}',
        "headers": {"content-type": "application/json", "set-cookie": MASK, "x-a": "1", "content-length": "12"},
        "rows": None, "columns": [], "found": {}, "warnings": [], "console": [{"level": "warn", "text": "dear"}],
    }  # fmt: skip
    assert not DataSource.objects.exists()
    entry = AuditEntry.objects.get(action="source.test")
    assert (entry.subject, entry.changes) == ("REST", {"type": [None, "REST"]})


def test_a_stored_source_is_tested_with_its_secrets_or_as_it_is_being_edited(alice: Caller) -> None:
    with Receiver() as receiver, override_settings(EGRESS_ALLOW=["127.0.0.1"]):
        read = made(alice, configuration={"url": f"{receiver.url}/a", "authentication": "bearer", "token": "hunter2"})
        receiver.answer = lambda call: Answer(body=call.headers["authorization"].encode())
        stored = alice.post("/sources/shop/test/", {}).body
        edited = alice.post(
            "/sources/shop/test/",
            {"configuration": {**read["configuration"], "transform": "return variables.A"}, "values": {"A": [1]}},
        ).body
    assert (stored["value"], edited["value"]) == ("Bearer hunter2", [1])
    assert DataSource.objects.get().configuration["transform"] == ""


def test_what_fails_is_told_with_the_answer(alice: Caller) -> None:
    with Receiver() as receiver, override_settings(EGRESS_ALLOW=["127.0.0.1"]):
        receiver.answer = lambda _: says('{"detail": "no"}', 404)
        given = {"type": "REST", "configuration": {"url": receiver.url}}
        missing = alice.post("/sources/test/", given).body
        refused = alice.post("/sources/test/", {**given, "configuration": {"url": "http://10.0.0.1/"}}).body
        unfilled = alice.post("/sources/test/", {**given, "configuration": {"url": f"{receiver.url}/{{{{A}}}}"}}).body
    assert (missing["ok"], missing["status"], missing["value"], missing["answer"]) == (
        False, 404, None, '{"detail": "no"}',
    )  # fmt: skip
    assert missing["error"] == {
        "class": "status", "message": "The source answered 404 Not Found. It says: “no.”",
    }  # fmt: skip
    assert (refused["error"]["class"], refused["status"], refused["bytes"], refused["answer"]) == (
        "refused", None, None, "",
    )  # fmt: skip
    assert unfilled["error"] == {"class": "variables", "message": "No value is given for the variable A."}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"code": "return response.map(p => p.name)", "response": [{"name": "Lamp"}]},
         {"ok": True, "value": ["Lamp"], "error": None, "console": []}),
        ({"code": "return [headers.a, variables.B, response]", "headers": {"a": "1"}, "variables": {"B": 2}},
         {"ok": True, "value": ["1", 2, None], "error": None, "console": []}),
        ({"code": "console.log(1); return response.x.y", "response": {}},
         {"ok": False, "value": None, "console": [{"level": "log", "text": "1"}], "error": {
             "class": "transform", "message": "TypeError: Cannot read properties of undefined (reading 'y') "
             "(line 1, column 35)"}}),
    ],
    ids=["value", "all that it sees", "error"],
)  # fmt: skip
def test_a_transform_is_tested_against_an_example(alice: Caller, given: Any, shown: Any) -> None:
    answer = alice.post("/sources/test-transform/", given)
    assert (answer.status, answer.body) == (200, shown)


@pytest.mark.parametrize(
    ("at", "given", "field"),
    [
        ("test", {"type": "REST", "configuration": REST, "values": {"A": "\ud800"}}, "values"),
        ("test", {"type": "REST", "configuration": REST, "values": [1]}, "values"),
        ("test", {"type": "REST"}, "configuration"),
        ("test-transform", {"response": 1}, "code"),
        ("test-transform", {"code": "return 1", "headers": {str(n): "" for n in range(101)}}, "headers"),
    ],
)
def test_what_cannot_be_tested_is_refused_at_its_field(alice: Caller, at: str, given: Any, field: str) -> None:
    answer = alice.send("POST", f"/sources/{at}/", json.dumps(given).encode())
    assert answer.status == 400
    assert field in answer.errors


def test_a_number_larger_than_can_be_kept_is_told(alice: Caller) -> None:
    with Receiver() as receiver, override_settings(EGRESS_ALLOW=["127.0.0.1"]):
        receiver.answer = lambda _: says('{"a": 1e309}')
        given: dict[str, Any] = {"type": "REST", "configuration": {"url": receiver.url}}
        answer = alice.post("/sources/test/", given)
    assert (answer.status, answer.body["value"], answer.body["answer"]) == (200, None, '{"a": 1e309}')
    assert answer.body["error"]["class"] == "json"


def test_tests_are_counted(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "PER_MINUTE", 1)
    assert alice.post("/sources/test-transform/", {"code": "return 1"}).status == 200
    for at, given in (
        ("test-transform", {"code": "return 1"}),
        ("test", {"type": "REST", "configuration": {"url": "http://10.0.0.1/"}}),
    ):
        refused = alice.post(f"/sources/{at}/", given)
        assert (refused.status, "1 times a minute" in refused.body["detail"]) == (429, True)
