"""Events and connections by REST: made, changed, tried out and deleted; secrets that never come back."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import override_settings

from badgerjobs.lib.vault import MASK
from badgerjobs.workspaces.models import AuditEntry, Scope
from jobs.events import services as event_services
from jobs.events import trials
from jobs.events.services import configuration_of
from jobs.models import Connection, Event
from tests.callers import Caller, caller_for
from tests.e2e.receiver import Receiver
from tests.factories import make_connection, make_event, make_job

A_MOMENT = 1_000_000_000.25
CHAT = {"channel": "chat", "url": "https://hooks.example.com/T1/secret", "text": "{{input.product}} is low."}
ACTION = {
    "endpoint": "https://shop.example.com/{{input.id}}",
    "headers": {"Authorization": "Bearer hunter2", "X-A": "1"},
}
DATABASE = {"host": "db.example.com", "database": "shop", "user": "u", "password": "hunter2"}


def made(caller: Caller, path: str = "events", **fields: Any) -> Any:
    answer = caller.post(f"/{path}/", fields)
    assert answer.status == 201, answer.body
    return answer.body


def test_an_event_is_made_with_what_its_type_leaves_out(alice: Caller) -> None:
    event = made(alice, tag="low-stock", type="notification", configuration=CHAT)

    assert {name: event[name] for name in ("tag", "name", "type", "connection", "jobs")} == {
        "tag": "low-stock", "name": "low-stock", "type": "NOTIFICATION", "connection": None, "jobs": 0,
    }  # fmt: skip
    assert event["configuration"] == {**CHAT, "url": MASK, "timeout": 30}
    assert alice.get("/events/low-stock/").body == event
    assert alice.walk("/events/") == [event]


def test_secrets_never_come_back_nor_lie_open_in_the_database(alice: Caller) -> None:
    made(alice, tag="call", type="ACTION", configuration=ACTION)
    server = made(alice, "connections", tag="db", type="database", configuration=DATABASE)

    assert server["configuration"]["password"] == MASK
    said = json.dumps([alice.walk("/events/"), alice.walk("/connections/"), list(AuditEntry.objects.values("changes"))])
    assert "hunter2" not in said
    assert Event.objects.get().configuration["headers"]["Authorization"] == "Bearer hunter2"
    assert Connection.objects.get().configuration["password"] == "hunter2"
    with connection.cursor() as cursor:
        cursor.execute("SELECT configuration FROM jobs_event UNION ALL SELECT configuration FROM jobs_connection")
        assert "hunter2" not in str(cursor.fetchall())


def test_what_was_read_can_be_sent_back_and_keeps_the_secrets(alice: Caller) -> None:
    made(alice, tag="call", type="ACTION", configuration=ACTION)
    read = alice.get("/events/call/").body

    for send in (alice.patch, alice.put):
        answer = send("/events/call/", {**read, "name": "Call"})
        assert answer.status == 200, answer.body
    assert Event.objects.get().configuration["headers"]["Authorization"] == "Bearer hunter2"


def test_stored_secrets_are_sent_to_nobody_else(alice: Caller) -> None:
    made(alice, tag="call", type="ACTION", configuration=ACTION)
    made(alice, "connections", tag="db", type="DATABASE", configuration=DATABASE)

    elsewhere = {**ACTION, "endpoint": "https://evil.example.com/", "headers": {"Authorization": MASK}}
    for send, at in ((alice.patch, "/events/call/"), (alice.post, "/events/call/try/")):
        answer = send(at, {"configuration": elsewhere})
        assert "was not meant for" in answer.errors["configuration.headers"][0]
    for change in ({"host": "evil.example.com"}, {"port": 1}, {"tls": "none"}, {"tls": "unverified"}):
        answer = alice.patch("/connections/db/", {"configuration": {**DATABASE, "password": MASK, **change}})
        assert "was not meant for" in answer.errors["configuration.password"][0], change
    assert Connection.objects.get().configuration["host"] == "db.example.com"


def test_stars_for_nothing_stored_are_refused(alice: Caller) -> None:
    answer = alice.post(
        "/connections/", {"tag": "db", "type": "DATABASE", "configuration": {**DATABASE, "password": MASK}}
    )
    assert "there is none. Send the value itself." in answer.errors["configuration.password"][0]


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"type": "ACTION", "configuration": {}}, "configuration.endpoint", "Give this field"),
        (
            {"type": "ACTION", "configuration": {"endpoint": "https://x.example", "bdy": ""}},
            "configuration.bdy",
            "did you mean body?",
        ),
        (
            {"type": "PIGEON", "configuration": {}},
            "type",
            "“PIGEON” is none of ACTION, NOTIFICATION, DATABASE_ACTION, FUNCTION, MESSAGEBROKER.",
        ),
        ({"type": "ACTION", "configuration": []}, "configuration", "Must be an object."),
        (
            {"type": "DATABASE_ACTION", "configuration": {"statement": "SELECT 1"}},
            "connection",
            "This needs a connection of the type DATABASE",
        ),
        (
            {"type": "DATABASE_ACTION", "configuration": {"statement": "SELECT '{{x}}'"}},
            "configuration.statement",
            "stands in quotes",
        ),
        (
            {"type": "ACTION", "configuration": ACTION, "connection": "db"},
            "connection",
            "This uses no connection: leave it out.",
        ),
        (
            {"type": "MESSAGEBROKER", "configuration": {"to": "queue", "name": "q"}, "connection": "db"},
            "connection",
            "is of the type DATABASE: this needs one of BROKER.",
        ),
        (
            {"type": "ACTION", "configuration": ACTION, "connection": "nope"},
            "connection",
            "There is no connection with the tag “nope”",
        ),
        (
            {"type": "MESSAGEBROKER", "configuration": {"to": "queue", "name": "q"}, "connection": "redis"},
            "connection",
            "which has streams and lists, and no queues.",
        ),
        (
            {"type": "FUNCTION", "configuration": {"code": "return 1"}, "tag": "try"},
            "tag",
            "is a word of the addresses themselves",
        ),
        (
            {"type": "FUNCTION", "configuration": {"code": "return 1"}, "tag": "a/b"},
            "tag",
            "neither “/” nor control characters",
        ),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_at_its_field(alice: Caller, fields: dict[str, Any], field: str, sentence: str) -> None:
    made(alice, "connections", tag="db", type="DATABASE", configuration=DATABASE)
    redis = {"protocol": "redis", "host": "redis.example.com"}
    made(alice, "connections", tag="redis", type="BROKER", configuration=redis)
    answer = alice.post("/events/", {"tag": "e", **fields})
    assert answer.status == 400
    assert sentence in answer.errors[field][0]


def test_a_tag_is_taken_once_and_a_type_is_never_changed(alice: Caller) -> None:
    made(alice, tag="low", type="NOTIFICATION", configuration=CHAT)
    assert alice.post("/events/", {"tag": "low", "type": "NOTIFICATION", "configuration": CHAT}).status == 409
    assert "A type is never changed" in alice.patch("/events/low/", {"type": "ACTION"}).errors["type"][0]
    assert "never changed" in alice.patch("/events/low/", {"tag": "high"}).errors["tag"][0]
    assert "never changed" in alice.put("/events/low/", {"type": "ACTION", "configuration": ACTION}).errors["type"][0]


@pytest.mark.parametrize(
    "written", ["DATABASE_ACTION", "database-action", "Database action", "function, database-action"]
)
def test_lists_take_a_type_as_it_is_written_where_one_is_made(alice: Caller, written: str) -> None:
    make_connection(alice.application, "db")
    event = make_event(
        alice.application, "count", type="DATABASE_ACTION", configuration={"statement": "SELECT 1"},
        connection=Connection.objects.get(),
    )  # fmt: skip
    make_job(alice.application, "a-job", event=event, endpoint="", verb="")
    make_event(alice.application, "chat", type="NOTIFICATION", configuration=CHAT)
    given = quote(written)
    assert [row["tag"] for row in alice.walk(f"/events/?type={given}")] == ["count"]
    assert [row["tag"] for row in alice.walk(f"/jobs/?event_type={given}")] == ["a-job"]


def test_put_makes_or_replaces(alice: Caller) -> None:
    body = {"type": "FUNCTION", "configuration": {"code": "return 1"}, "name": "One"}
    assert alice.put("/events/one/", body).status == 201
    again = alice.put("/events/one/", {**body, "name": "Two"})
    assert (again.status, again.body["name"]) == (200, "Two")
    connection = {"type": "DATABASE", "configuration": DATABASE}
    assert [alice.put("/connections/db/", connection).status for _ in range(2)] == [201, 200]


def test_an_event_that_jobs_perform_stays_and_names_them(alice: Caller) -> None:
    made(alice, tag="one", type="FUNCTION", configuration={"code": "return 1"})
    event = Event.objects.get()
    for tag in ("b", "a"):
        make_job(alice.application, tag, event=event, endpoint="", verb="")

    refused = alice.delete("/events/one/")

    assert refused.status == 409
    assert refused.body["detail"].startswith("The event is performed by the jobs “a” and “b”.")
    assert alice.get("/events/one/").body["jobs"] == 2
    alice.application.delete()
    assert not Event.objects.exists()


def test_a_connection_that_events_use_stays_and_names_them(alice: Caller) -> None:
    made(alice, "connections", tag="db", type="DATABASE", configuration=DATABASE)
    made(alice, tag="count", type="DATABASE_ACTION", connection="db", configuration={"statement": "SELECT 1"})

    refused = alice.delete("/connections/db/")

    assert refused.body["detail"].startswith("The connection is used by the event “count”.")
    assert alice.get("/connections/db/").body["events"] == 1
    assert (alice.delete("/events/count/").status, alice.delete("/connections/db/").status) == (204, 204)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("verb", "path", "headers"),
    [("POST", "/events/", {}), ("POST", "/events/", {"Idempotency-Key": "k"}), ("PUT", "/events/e/", {})],
    ids=["post", "keyed post", "put"],
)
def test_a_connection_that_is_deleted_meanwhile_is_a_conflict(
    alice: Caller, monkeypatch: pytest.MonkeyPatch, verb: str, path: str, headers: dict[str, str]
) -> None:
    made(alice, "connections", tag="db", type="DATABASE", configuration=DATABASE)

    def elsewhere() -> None:
        Connection.objects.all().delete()
        connection.close()

    def deleted(event: Event, given: Any) -> dict[str, Any]:
        with ThreadPoolExecutor(1) as other:
            other.submit(elsewhere).result()
        return configuration_of(event, given)

    monkeypatch.setattr(event_services, "configuration_of", deleted)
    body = {"tag": "e", "type": "DATABASE_ACTION", "connection": "db", "configuration": {"statement": "SELECT 1"}}
    answer = alice.send(verb, path, json.dumps(body).encode(), **headers)

    assert (answer.status, answer.body["detail"]) == (409, "This connection was deleted in the meantime.")
    assert not Event.objects.exists()


def test_an_event_cannot_take_a_connection_that_is_deleted_meanwhile(
    alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tag in ("db", "gone"):
        made(alice, "connections", tag=tag, type="DATABASE", configuration=DATABASE)
    made(alice, tag="e", type="DATABASE_ACTION", connection="db", configuration={"statement": "SELECT 1"})

    def deleted(event: Event, given: Any) -> dict[str, Any]:
        Connection.objects.filter(tag="gone").delete()
        return configuration_of(event, given)

    monkeypatch.setattr(event_services, "configuration_of", deleted)
    assert alice.patch("/events/e/", {"connection": "gone"}).status == 409


@pytest.mark.parametrize(
    ("channel", "field", "value"),
    [
        ("webhook", "payload", {"a": ["\ud800"]}),
        ("webhook", "payload", {"a\0": 1}),
        ("chat", "blocks", "\udfff"),
    ],
    ids=["half", "null", "text"],
)
def test_what_could_never_be_shown_again_is_refused(alice: Caller, channel: str, field: str, value: Any) -> None:
    configuration = {"channel": channel, "url": "https://a.example.com/", field: value}
    configuration |= {"text": "x"} if channel == "chat" else {}
    event = {"tag": "h", "type": "NOTIFICATION", "configuration": configuration}
    answer = alice.send("POST", "/events/", json.dumps(event).encode())
    assert answer.errors[f"configuration.{field}"] == [
        "This holds null characters or halves of letters: leave them out."
    ]
    assert alice.get("/events/").status == 200


def test_a_name_that_could_never_be_shown_again_is_refused(alice: Caller) -> None:
    configuration = {"to": "queue", "name": "q", "headers": {"\ud800": "x"}}
    made(alice, "connections", tag="b", type="BROKER", configuration={"protocol": "amqp", "host": "b.example.com"})
    event = {"tag": "h", "type": "MESSAGEBROKER", "connection": "b", "configuration": configuration}
    assert (
        "halves of letters"
        in alice.send("POST", "/events/", json.dumps(event).encode()).errors["configuration.headers"][0]
    )


def test_strangers_find_neither_events_nor_connections(alice: Caller, charlie: Caller) -> None:
    made(alice, "connections", tag="db", type="DATABASE", configuration=DATABASE)
    made(alice, tag="low", type="NOTIFICATION", configuration=CHAT)
    for path in ("/events/low/", "/connections/db/"):
        assert [charlie.get(path).status, charlie.patch(path, {}).status, charlie.delete(path).status] == [404] * 3
    assert charlie.post("/events/low/try/", {}).status == 404
    body = {"type": "DATABASE_ACTION", "connection": "db", "configuration": {"statement": "SELECT 1"}}
    for where in ("/events/", "/events/try/"):
        assert (
            "There is no connection with the tag “db”"
            in charlie.post(where, {"tag": "x", **body} if where == "/events/" else body).errors["connection"][0]
        )


def test_who_may_only_read_tries_nothing_out(alice: Caller) -> None:
    made(alice, tag="low", type="NOTIFICATION", configuration=CHAT)
    reader = caller_for(alice.application, scopes=[Scope.READ])
    assert reader.get("/events/low/").status == 200
    assert reader.post("/events/low/try/", {}).status == 403


def test_lists_are_narrowed(alice: Caller) -> None:
    made(alice, "connections", tag="db", type="DATABASE", configuration=DATABASE)
    made(alice, tag="count", type="DATABASE_ACTION", connection="db", configuration={"statement": "SELECT 1"})
    made(alice, tag="low", type="NOTIFICATION", name="Low on stock", configuration=CHAT)

    def tags(query: str) -> list[str]:
        return [row["tag"] for row in alice.walk(query)]

    assert tags("/events/?type=notification") == ["low"]
    assert tags("/events/?connection=db") == ["count"]
    assert tags("/events/?search=STOCK") == ["low"]
    assert tags("/connections/?type=SMTP") == []
    assert alice.get("/events/?type=x").status == 400


def test_an_event_is_tried_out_for_real_and_nothing_is_kept(alice: Caller) -> None:
    with Receiver() as receiver, override_settings(EGRESS_ALLOW=["127.0.0.1"]):
        event = {
            "type": "ACTION",
            "configuration": {"endpoint": f"{receiver.url}/{{{{input.id}}}}"},
            "input": {"id": 7},
        }
        answer = alice.post("/events/try/", event)
        assert (answer.status, answer.body["ok"], answer.body["result"]["status"]) == (200, True, 200)
        assert answer.body["error"] is None
        assert [call.path for call in receiver.calls] == ["/7"]
    assert not Event.objects.exists()
    assert AuditEntry.objects.filter(action="event.test").count() == 1


def test_a_stored_event_is_tried_out_with_a_sample_or_as_it_is_being_edited(
    alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(alice, tag="double", type="FUNCTION", configuration={"code": "return input * 2"})

    monkeypatch.setattr(trials, "time", SimpleNamespace(perf_counter=count(0, 0.0125).__next__))

    as_it_is = alice.post("/events/double/try/", {"input": 4}).body
    edited = alice.post("/events/double/try/", {"input": 4, "configuration": {"code": "return input * 3"}}).body
    wrong = alice.post("/events/double/try/", {"input": 4, "configuration": {"code": "return inptu"}}).body

    assert (as_it_is["result"]["value"], edited["result"]["value"]) == (8, 12)
    assert as_it_is["duration"] == 12
    assert wrong["error"] == {"class": "script", "message": "ReferenceError: inptu is not defined (line 1, column 1)"}
    assert Event.objects.get().configuration["code"] == "return input * 2"


def test_a_missing_value_is_named_when_it_is_tried_out(alice: Caller) -> None:
    body = {"type": "ACTION", "configuration": ACTION, "input": {"Id": 1}}
    answer = alice.post("/events/try/", body).body
    assert answer["error"] == {"class": "input", "message": "There is no input.id: input has Id."}


def test_who_tries_too_often_waits(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: A_MOMENT)
    body = {"type": "ACTION", "configuration": ACTION, "input": {}}
    answers = [alice.post("/events/try/", body) for _ in range(31)]
    assert [answer.status for answer in answers] == [200] * 30 + [429]
    assert "30 times a minute" in answers[-1].body["detail"]


def test_what_is_done_is_in_the_audit_log(alice: Caller) -> None:
    made(alice, tag="call", type="ACTION", configuration=ACTION)
    alice.patch("/events/call/", {"configuration": {"endpoint": "https://shop.example.com/x"}})
    alice.patch("/events/call/", {"name": "call"})
    alice.delete("/events/call/")
    entries = AuditEntry.objects.filter(action__startswith="event.").order_by("id").values_list("action", "subject")
    assert list(entries) == [(f"event.{what}", "call") for what in ("create", "update", "delete")]


@pytest.mark.parametrize("send", ["post", "put", "patch", "try"])
def test_a_configuration_is_bounded(alice: Caller, send: str) -> None:
    made(alice, tag="low", type="NOTIFICATION", configuration=CHAT)
    webhook = {"channel": "webhook", "url": "https://a.example.com/", "payload": ["é"] * 60_000}
    asked: Any = {
        "post": lambda given: alice.post("/events/", {**given, "tag": "new"}),
        "put": lambda given: alice.put("/events/low/", given),
        "patch": lambda given: alice.patch("/events/low/", given),
        "try": lambda given: alice.post("/events/try/", given),
    }[send]
    answer = asked({"type": "NOTIFICATION", "configuration": webhook})
    assert answer.status == 400, answer.body
    [said] = answer.errors["configuration"]
    assert said.startswith("As JSON, the configuration has 300,064 bytes: at most 262,144 are kept.")
    assert [event.configuration["channel"] for event in Event.objects.all()] == ["chat"]


@pytest.mark.parametrize("tag", ["\ud800", "a\0b"], ids=["half a letter", "null"])
def test_a_tag_that_nothing_could_have_is_no_connections(alice: Caller, tag: str) -> None:
    event = {"tag": "e", "type": "DATABASE_ACTION", "connection": tag, "configuration": {"statement": "SELECT 1"}}
    answer = alice.send("POST", "/events/", json.dumps(event).encode())
    assert answer.status == 400
    assert answer.errors["connection"] == ["Give the tag of a connection, as text."]


def test_what_is_not_ascii_is_no_certificate(alice: Caller) -> None:
    given = {"tag": "db", "type": "DATABASE", "configuration": {**DATABASE, "certificates": "é"}}
    answer = alice.post("/connections/", given)
    assert answer.status == 400
    assert "This is no certificate in PEM" in answer.errors["configuration.certificates"][0]
