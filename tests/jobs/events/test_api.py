"""Events and connections by REST: made, replaced, listed and deleted."""

from urllib.parse import quote

import pytest

from badgerjobs.lib.vault import MASK
from badgerjobs.workspaces.models import AuditEntry
from jobs.models import Connection, Event
from tests.callers import Caller
from tests.factories import make_connection, make_event, make_job
from tests.jobs.events.rest_events import ACTION, CHAT, DATABASE, made


def test_an_event_is_made_with_what_its_type_leaves_out(alice: Caller) -> None:
    event = made(alice, tag="low-stock", type="notification", configuration=CHAT)

    assert {name: event[name] for name in ("tag", "name", "type", "connection", "jobs")} == {
        "tag": "low-stock", "name": "low-stock", "type": "NOTIFICATION", "connection": None, "jobs": 0,
    }  # fmt: skip
    assert event["configuration"] == {**CHAT, "url": MASK, "timeout": 30}
    assert alice.get("/events/low-stock/").body == event
    assert alice.walk("/events/") == [event]


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


def test_what_is_done_is_in_the_audit_log(alice: Caller) -> None:
    made(alice, tag="call", type="ACTION", configuration=ACTION)
    alice.patch("/events/call/", {"configuration": {"endpoint": "https://shop.example.com/x"}})
    alice.patch("/events/call/", {"name": "call"})
    alice.delete("/events/call/")
    entries = AuditEntry.objects.filter(action__startswith="event.").order_by("id").values_list("action", "subject")
    assert list(entries) == [(f"event.{what}", "call") for what in ("create", "update", "delete")]
