"""The forms of events and connections: each type has one, and secrets stay what they are."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from badgerjobs.lib.vault import MASK
from badgerjobs.servers.configurations import ENGINES
from badgerjobs.servers.databases import DRIVERS, POSTGRESQL
from badgerjobs.workspaces.models import Application, AuditEntry
from jobs.events.connections import CONNECTION_TYPES
from jobs.events.forms import NEEDS_TO_BE_MADE
from jobs.events.looks import LOOKS, configuration_fields, connection_types
from jobs.events.types import EVENT_TYPES
from jobs.models import Connection, Event
from tests.callers import Caller, caller_for
from tests.clients import browser_in
from tests.factories import make_application, make_connection, make_event
from tests.jobs.events.event_forms import SMTP, edit, new, of, opened
from tests.jobs.form_page import headers, said, text_of


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


@pytest.fixture
def program(shop: Application) -> Caller:
    return caller_for(shop)


def test_a_new_one_begins_with_its_type(alice: Client, shop: Application) -> None:
    events = text_of(alice.get(reverse("jobs:new-event", args=[shop.slug])))
    for label in ("Action", "Notification", "Database action", "Function", "Broker message"):
        assert label in events
    connections = text_of(alice.get(reverse("jobs:new-connection", args=[shop.slug])))
    for label in ("Mail server", "Database", "Message broker"):
        assert label in connections
    assert "Choose what it is" in text_of(alice.get(new(shop, "pigeon")))


@pytest.mark.parametrize("type_name", [*EVENT_TYPES, *CONNECTION_TYPES])
def test_each_field_of_each_type_has_its_place_in_the_form(alice: Client, shop: Application, type_name: str) -> None:
    what = "event" if type_name in EVENT_TYPES else "connection"
    page = alice.get(new(shop, type_name, what)).content.decode()
    fields = configuration_fields(type_name)
    assert set(LOOKS.get(type_name, fields)) == set(fields)
    for name in fields:
        shown = "header_name" if name == "headers" else f"configuration_{name}"
        assert f'name="{shown}"' in page
    assert ('name="connection"' in page) == (what == "event" and bool(connection_types(type_name)))


def test_a_type_without_looks_has_a_form_all_the_same(
    alice: Client, shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.events.looks.LOOKS", {})
    monkeypatch.setattr("jobs.events.looks.LINES", {})
    page = text_of(alice.get(new(shop, "FUNCTION")))
    assert "Timeout ms" in page
    assert "A function's body in JavaScript" in page.replace("&#x27;", "'")
    assert alice.post(new(shop, "FUNCTION"), {"name": "sum", **of(code="return 1")}).status_code == 302


MADE = [
    ("ACTION", of(verb="PUT", endpoint="https://example.com/{{input.id}}", body="x"),
     {"verb": "PUT", "endpoint": "https://example.com/{{input.id}}", "body": "x", "timeout": 30, "headers": {}}),
    ("NOTIFICATION", of(channel="chat", url="https://hooks.example.com/x", text="{{input.a}}", blocks="[1]"),
     {"channel": "chat", "url": "https://hooks.example.com/x", "text": "{{input.a}}", "blocks": [1], "timeout": 30}),
    ("NOTIFICATION",
     {**of(channel="email", to="a@x.example\r\n\r\n b@x.example", subject="S", text="T"), "connection": "mails"},
     {"channel": "email", "to": ["a@x.example", "b@x.example"], "subject": "S", "text": "T", "timeout": 30}),
    ("NOTIFICATION", of(channel="webhook", url="https://x.example/", payload='{"a": "{{input}}"}', timeout="5"),
     {"channel": "webhook", "url": "https://x.example/", "payload": {"a": "{{input}}"}, "timeout": 5}),
    ("DATABASE_ACTION",
     {**of(statement="SELECT %(a)s\r\n, 1", parameters='{"a": 1}', writes="on", max_rows="7"), "connection": "db"},
     {"statement": "SELECT %(a)s\n, 1", "parameters": {"a": 1}, "writes": True, "max_rows": 7, "timeout": 30}),
    ("FUNCTION", of(code="return 1", timeout_ms="100"), {"code": "return 1", "timeout_ms": 100}),
    ("MESSAGEBROKER",
     {**of(to="stream", name="orders", message='"{{input}}"', max_length="9"), **headers(("x", "1")),
      "connection": "mq"},
     {"to": "stream", "name": "orders", "message": "{{input}}", "headers": {"x": "1"}, "max_length": 9,
      "routing_key": "", "timeout": 30}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("type_name", "typed", "stored"), MADE, ids=[f"{n}-{type_name}" for n, (type_name, *_) in enumerate(MADE)]
)
def test_each_type_is_made_as_it_was_typed(
    alice: Client, shop: Application, type_name: str, typed: dict[str, Any], stored: dict[str, Any]
) -> None:
    make_connection(shop, "mails", type="SMTP", configuration=SMTP)
    make_connection(shop, "db")
    make_connection(shop, "mq", type="BROKER", configuration={"protocol": "redis", "host": "mq.example.com"})
    answer = alice.post(new(shop, type_name), {"name": "low-stock", **typed})
    assert answer.status_code == 302, text_of(answer)
    event = Event.objects.get()
    assert answer["Location"] == reverse("jobs:event", args=[shop.slug, "low-stock"])
    assert (event.tag, event.name, event.type) == ("low-stock", "low-stock", type_name)
    assert {name: event.configuration.get(name) for name in stored} == stored
    assert (event.connection.tag if event.connection else None) == typed.get("connection")
    assert said(answer) == ["low-stock is saved."]
    assert AuditEntry.objects.get(action="event.create").actor == "alice@example.com"


@pytest.mark.parametrize(
    ("type_name", "typed", "stored"),
    [
        ("SMTP", of(host="smtp.example.com", port="25", security="none", sender="s@x.example"), {"security": "none"}),
        ("DATABASE", of(host="db.example.com", engine="postgresql", database="shop", tls="none"), {"tls": "none"}),
        ("BROKER", of(protocol="redis", host="mq.example.com", tls="verify", database="2"),
         {"port": 6379, "database": 2}),
    ],
)  # fmt: skip
def test_each_connection_is_made_as_it_was_typed(
    alice: Client, shop: Application, type_name: str, typed: dict[str, Any], stored: dict[str, Any]
) -> None:
    answer = alice.post(new(shop, type_name, "connection"), {"name": "Server", "tag": "server", **typed})
    assert answer.status_code == 302, text_of(answer)
    row = Connection.objects.get()
    assert (row.tag, row.name, row.type) == ("server", "Server", type_name)
    assert {name: row.configuration[name] for name in stored} == stored


@pytest.mark.parametrize(
    ("type_name", "field", "where"),
    [
        ("ACTION", "body", {"data-placeholders": "values", "data-guess": ""}),
        ("NOTIFICATION", "payload", {"data-placeholders": "texts"}),
        ("MESSAGEBROKER", "message", {"data-placeholders": "texts"}),
    ],
)
def test_an_editor_of_json_knows_where_placeholders_may_stand(
    alice: Client, shop: Application, type_name: str, field: str, where: dict[str, str]
) -> None:
    attributes = alice.get(new(shop, type_name)).context["form"].fields[f"configuration_{field}"].widget.attrs
    assert {name: value for name, value in attributes.items() if name.startswith("data-")} == {
        "data-editor": "json",
        **where,
    }


def test_the_engines_that_there_are_can_be_chosen(alice: Client, shop: Application) -> None:
    form = alice.get(new(shop, "DATABASE", "connection")).context["form"]
    assert [engine for engine, _ in form.fields["configuration_engine"].choices] == list(ENGINES)
    assert list(ENGINES) == [POSTGRESQL, *DRIVERS]
    assert form["configuration_engine"].value() == POSTGRESQL


def test_what_another_choice_would_show_is_not_told(alice: Client, shop: Application) -> None:
    """Its fields are in the page, and may still hold what was typed before somebody chose otherwise."""
    typed = of(channel="webhook", url="https://x.example/", subject="left over", to="nobody")
    assert alice.post(new(shop, "NOTIFICATION"), {"name": "n", **typed}).status_code == 302


def test_headers_are_rows_that_come_and_go_without_scripts(alice: Client, shop: Application) -> None:
    rows = headers(("X-A", "1"))
    more = alice.post(new(shop, "ACTION"), {"name": "kept", **rows, "do": "add-header"}).content.decode()
    assert more.count('name="header_name"') == 3  # two, and the one that scripts copy
    assert 'value="kept"' in more
    less = alice.post(new(shop, "ACTION"), {**rows, "do": "remove-header:1"}).content.decode()
    assert 'value="X-A"' not in less
    wrong = alice.post(new(shop, "ACTION"), {"name": "e", **headers(("X A", "1")), **of(endpoint="https://x.example")})
    assert '<a href="#header_name_1">Header 1</a>' in wrong.content.decode()
    offered = {"name": "e", **headers(("X A", "1")), "do": "fill:header_name_1=X-A"}
    assert 'value="X-A"' in alice.post(new(shop, "ACTION"), offered).content.decode()


def test_secrets_are_stars_and_stay_when_they_come_back(alice: Client, shop: Application) -> None:
    call = {"endpoint": "https://example.com/a", "headers": {"Authorization": "Bearer hunter2"}}
    event = make_event(shop, "call", type="ACTION", configuration=call)
    chat = {"channel": "chat", "url": "https://hooks.example.com/hunter2", "text": "x"}
    chatting = make_event(shop, "chat", type="NOTIFICATION", configuration=chat)
    server = make_connection(shop, "mails", type="SMTP", configuration=SMTP)
    for row in (event, chatting, server):
        page = alice.get(edit(row)).content.decode()
        assert MASK in page
        assert "hunter2" not in page
        before = dict(row.configuration)
        answer = alice.post(edit(row), {**opened(alice, edit(row)), "name": "New name"})
        assert answer.status_code == 302, text_of(answer)
        row.refresh_from_db()
        assert row.name == "New name"
        assert row.configuration == before


def test_an_untouched_form_changes_nothing(alice: Client, shop: Application) -> None:
    server = make_connection(shop, "db")
    statement = {"statement": "SELECT 1\n", "parameters": {"a": [1]}}
    event = make_event(shop, "q", type="DATABASE_ACTION", connection=server, configuration=statement)
    AuditEntry.objects.all().delete()
    assert alice.post(edit(event), opened(alice, edit(event))).status_code == 302
    assert not AuditEntry.objects.filter(action="event.update").exists()


def test_what_somebody_else_changed_meanwhile_is_not_lost_unsaid(alice: Client, shop: Application) -> None:
    event = make_event(shop, "sum")
    mine = {**opened(alice, edit(event)), **of(code="return 'mine'")}
    event.configuration = {**event.configuration, "code": "return 'theirs'"}
    event.save()
    page = alice.post(edit(event), mine)
    assert "Somebody else changed this while the form was open." in text_of(page)
    event.refresh_from_db()
    assert event.configuration["code"] == "return 'theirs'"
    assert alice.post(edit(event), {**mine, "seen": page.context["seen"]}).status_code == 302


def test_the_form_is_tried_as_it_stands_and_saves_nothing(alice: Client, shop: Application) -> None:
    at = f"{reverse('jobs:try-form', args=[shop.slug])}?type=FUNCTION"
    page = alice.post(at, {**of(code="return input.a + 1"), "sample": '{"a": 41}'})
    assert "returned after" in text_of(page)
    assert "42" in text_of(page)
    assert "return input.a + 1" in page.content.decode()
    assert not Event.objects.exists()
    part = alice.post(at, {**of(code=""), "sample": ""}, headers={"HX-Target": "tried"})
    assert part.templates[0].name == "jobs/events/edit/tried.html"
    assert "Nothing was tried. Give the code of a function, or the ID of a background task." in text_of(part)


def test_a_stored_event_is_tried_with_what_the_form_says(alice: Client, shop: Application) -> None:
    event = make_event(shop, "sum", configuration={"code": "return 'stored'"})
    at = f"{reverse('jobs:try-form', args=[shop.slug])}?event=sum"
    page = text_of(alice.post(at, {**of(code="return 'typed'"), "sample": ""}))
    assert "&quot;typed&quot;" in page
    event.refresh_from_db()
    assert event.configuration["code"] == "return 'stored'"


def test_only_connections_that_fit_are_offered(alice: Client, shop: Application) -> None:
    make_connection(shop, "db")
    make_connection(shop, "mails", type="SMTP", configuration=SMTP)
    make_connection(make_application("Charlie's"), "charlies")
    form = alice.get(new(shop, "DATABASE_ACTION")).context["form"]
    assert [tag for tag, _ in form.fields["connection"].choices] == ["", "db"]
    assert form["connection"].value() == "db"


def test_a_connection_is_offered_with_the_places_that_its_broker_has(alice: Client, shop: Application) -> None:
    make_connection(shop, "mq", type="BROKER", configuration={"protocol": "amqp", "host": "mq.example.com"})
    assert alice.get(new(shop, "MESSAGEBROKER")).context["form"]["connection"].value() == "mq"
    Connection.objects.all().delete()
    make_connection(shop, "streams", type="BROKER", configuration={"protocol": "redis", "host": "mq.example.com"})
    page = alice.get(new(shop, "MESSAGEBROKER"))
    assert '<option value="streams" class="only with-stream with-list">streams</option>' in page.content.decode()
    assert (
        '<span class="only with-queue with-exchange">There is none yet that fits this.</span>' in page.content.decode()
    )
    assert page.context["form"]["connection"].value() is None
    given = {"name": "e", "connection": "streams", **of(to="queue")}
    errors = alice.post(new(shop, "MESSAGEBROKER"), given).context["form"].errors
    assert set(errors) == {"connection", "configuration_name"}
    assert "This connection speaks redis, which has streams and lists, and no queues." in errors["connection"]
    assert alice.post(new(shop, "MESSAGEBROKER"), {**given, "connection": ""}).context["form"].errors["connection"] == [
        NEEDS_TO_BE_MADE
    ]
