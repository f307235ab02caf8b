"""The forms of events and connections: each type has one, errors are those of REST, secrets stay what they are."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from badgerjobs.lib.vault import MASK
from badgerjobs.web.definitions.configurations import SECRETS_STAY
from badgerjobs.workspaces.models import Application, AuditEntry
from jobs.events.connections import CONNECTION_TYPES, ENGINES
from jobs.events.forms import NEEDS_ONE, NEEDS_TO_BE_MADE
from jobs.events.looks import LOOKS, configuration_fields, connection_types
from jobs.events.types import EVENT_TYPES
from jobs.events.types.sql import DRIVERS, POSTGRESQL
from jobs.models import Connection, Event
from tests.callers import Caller, caller_for
from tests.clients import browser_in
from tests.factories import make_application, make_connection, make_event
from tests.jobs.form_page import headers, said, text_of

SMTP = {"host": "smtp.example.com", "sender": "shop@example.com", "user": "shop", "password": "hunter2"}


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


@pytest.fixture
def program(shop: Application) -> Caller:
    return caller_for(shop)


def new(shop: Application, type_name: str, what: str = "event") -> str:
    return f"{reverse(f'jobs:new-{what}', args=[shop.slug])}?type={type_name}"


def edit(row: Event | Connection) -> str:
    what = "event" if isinstance(row, Event) else "connection"
    return reverse(f"jobs:edit-{what}", args=[row.application.slug, row.tag])


def opened(alice: Client, address: str) -> dict[str, Any]:
    """What the form sends that nobody has touched."""
    context = alice.get(address).context
    form = context["form"]
    shown = {name: form[name].value() for name in form.fields if not name.endswith("_headers")}
    sent = {name: "on" if value is True else value for name, value in shown.items() if value not in (None, False)}
    return {**sent, **headers(*form.pairs), "seen": context["seen"]}


def of(**fields: Any) -> dict[str, Any]:
    """Fields of the configuration as the form calls them."""
    return {f"configuration_{name}": value for name, value in fields.items()}


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


@pytest.mark.parametrize(
    "case",
    [
        ("ACTION", of(endpoint="example.com"), {"endpoint": "example.com"}, "endpoint"),
        ("ACTION", of(endpoint="https://{{input.host}}/"), {"endpoint": "https://{{input.host}}/"}, "endpoint"),
        ("ACTION", of(endpoint="https://x.example/", timeout="0"), {"endpoint": "https://x.example/", "timeout": 0},
         "timeout"),
        ("FUNCTION", {}, {}, "code"),
        ("FUNCTION", of(code="return {\n  a: 1,,\n}"), {"code": "return {\n  a: 1,,\n}"}, "code"),
        ("FUNCTION", of(code="x", timeout_ms="soon"), {"code": "x", "timeout_ms": "soon"}, "timeout_ms"),
        ("NOTIFICATION", of(channel="chat", text="x"), {"channel": "chat", "text": "x"}, "url"),
        ("NOTIFICATION", of(channel="chat", url="https://x.example", text="{{"),
         {"channel": "chat", "url": "https://x.example", "text": "{{"}, "text"),
    ],
    ids=lambda case: f"{case[0]}-{case[3]}",
)  # fmt: skip
def test_what_is_wrong_is_said_in_the_words_of_rest_beside_its_field(
    alice: Client, program: Caller, shop: Application, case: tuple[str, Any, Any, str]
) -> None:
    type_name, typed, given, field = case
    answer = program.post("/events/", {"tag": "e", "type": type_name, "configuration": given})
    page = alice.post(new(shop, type_name), {"name": "e", **typed})
    assert page.status_code == 200
    assert page.context["form"].errors == {f"configuration_{field}": [answer.errors[f"configuration.{field}"][0]]}
    assert f'id="configuration_{field}_error"' in page.content.decode()
    assert "Nothing is saved yet: 1 field needs a change." in text_of(page)
    assert not Event.objects.exists()


def test_a_connection_that_is_missing_is_said_beside_it_with_all_else(alice: Client, shop: Application) -> None:
    page = alice.post(new(shop, "DATABASE_ACTION"), {"name": "e", **of(statement="SELECT '{{input.a}}'", timeout="0")})
    assert page.context["form"].errors["connection"] == [NEEDS_TO_BE_MADE]
    assert set(page.context["form"].errors) == {"connection", "configuration_statement", "configuration_timeout"}
    make_connection(shop, "db")
    page = alice.post(new(shop, "DATABASE_ACTION"), {"name": "e", "connection": "", **of(statement="SELECT 1")})
    assert page.context["form"].errors == {"connection": [NEEDS_ONE]}
    page = alice.post(new(shop, "DATABASE_ACTION"), {"name": "e", "connection": "gone", **of(statement="SELECT 1")})
    assert "There is no connection with the tag “gone”" in page.context["form"].errors["connection"][0]


def test_code_that_does_not_compile_is_refused_with_its_place(alice: Client, shop: Application) -> None:
    page = alice.post(new(shop, "FUNCTION"), {"name": "a/b", **of(code="return {\r\n  a: 1,,\r\n}")})
    assert page.context["form"].errors["configuration_code"] == ["SyntaxError: Unexpected token ',' (line 2, column 8)"]
    assert "tag" in page.context["form"].errors
    at = f"{reverse('jobs:try-form', args=[shop.slug])}?type=FUNCTION"
    tried = alice.post(at, {**of(code="return {"), "sample": "", "name": ""}, headers={"HX-Target": "tried"})
    assert "Nothing was tried. SyntaxError: The code ends too early" in text_of(tried)
    assert 'data-error-of="configuration_code"' in tried.content.decode()


def test_code_that_was_stored_before_keeps_nobody_from_changing_the_rest(
    alice: Client, program: Caller, shop: Application
) -> None:
    event = make_event(shop, "sum", configuration={"code": "return {"})
    assert alice.post(edit(event), {**opened(alice, edit(event)), "name": "New name"}).status_code == 302
    read = program.get("/events/sum/").body
    assert program.put("/events/sum/", {**read, "name": "Newer"}).status == 200
    assert program.patch("/events/sum/", {"configuration": {"code": "return }"}}).errors["configuration.code"]


def test_what_is_no_choice_is_refused(alice: Client, shop: Application) -> None:
    page = alice.post(new(shop, "NOTIFICATION"), {"name": "n", **of(channel="pigeon")})
    assert page.context["form"].errors == {"configuration_channel": ["“pigeon” is none of these: choose one of them."]}


def test_all_that_is_wrong_is_said_at_once(alice: Client, shop: Application) -> None:
    page = alice.post(
        new(shop, "NOTIFICATION"), {"tag": "a/b", **of(channel="webhook", payload="{", timeout="0"), "name": "n"}
    )
    form = page.context["form"]
    assert set(form.errors) == {"tag", "configuration_url", "configuration_payload", "configuration_timeout"}
    assert "Line 1, column 2" in form.errors["configuration_payload"][0]
    assert "open" in page.content.decode().partition('<details class="more"')[2][:20]


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


def test_a_tag_that_is_taken_is_said_beside_the_name(alice: Client, shop: Application) -> None:
    make_event(shop, "sum")
    page = alice.post(new(shop, "FUNCTION"), {"name": "sum", **of(code="return 'typed with care'")})
    assert page.context["form"].errors == {
        "name": ["There is an event with the tag “sum” already: give this one another."]
    }
    assert "typed with care" in page.content.decode()


def test_a_name_that_cannot_be_a_tag_has_one_offered(alice: Client, shop: Application) -> None:
    page = alice.post(new(shop, "FUNCTION"), {"name": "low/stock now", **of(code="return 1")})
    assert "Did you mean" in page.context["form"].errors["tag"][0]
    assert 'data-fill="tag"' in page.content.decode()
    nameless = alice.post(new(shop, "FUNCTION"), of(code="return 1"))
    assert nameless.context["form"].errors == {"name": ["Give it a name, like low-stock."]}


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


def test_secrets_are_sent_to_nobody_else(alice: Client, shop: Application) -> None:
    server = make_connection(shop, "mails", type="SMTP", configuration=SMTP)
    page = alice.post(edit(server), {**opened(alice, edit(server)), **of(host="evil.example.com")})
    assert page.context["form"].errors == {"configuration_password": [SECRETS_STAY]}
    assert text_of(page).count("was not meant for the server that this names") == 1
    assert '<a href="#configuration_password">Password</a>' in page.content.decode()
    server.refresh_from_db()
    assert server.configuration["host"] == "smtp.example.com"


def test_headers_that_were_for_somebody_else_are_led_to(alice: Client, shop: Application) -> None:
    call = {"endpoint": "https://example.com/a", "headers": {"Authorization": "Bearer hunter2"}}
    event = make_event(shop, "call", type="ACTION", configuration=call)
    page = alice.post(edit(event), {**opened(alice, edit(event)), **of(endpoint="https://evil.example.com/")})
    assert page.context["form"].errors == {"configuration_headers": [SECRETS_STAY]}
    assert '<a href="#configuration_headers">Headers</a>' in page.content.decode()
    assert '<ul class="rows" id="configuration_headers"' in page.content.decode()


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
    assert "Nothing was tried. Give this field: it is needed." in text_of(part)


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


@pytest.mark.parametrize("field", ["name", "tag", "connection", "configuration_statement", "sample", "seen", "do"])
def test_what_no_browser_sends_breaks_nothing(alice: Client, shop: Application, field: str) -> None:
    make_connection(shop, "db")
    event = make_event(shop, "sum")
    given = {"name": "e", "connection": "db", "sample": "1", **of(statement="SELECT 1"), field: "a\0b"}
    for at in (new(shop, "DATABASE_ACTION"), edit(event), f"{reverse('jobs:try-form', args=[shop.slug])}?event=sum"):
        assert alice.post(at, given).status_code in {200, 302}
    for at in ("?event=a%00b", "?type=%00"):
        assert alice.post(reverse("jobs:try-form", args=[shop.slug]) + at, {}).status_code in {302, 400, 404}
    assert alice.get(f"{reverse('jobs:events', args=[shop.slug])}a%00b/").status_code == 404


def test_half_a_character_in_json_breaks_no_page(alice: Client, shop: Application) -> None:
    typed = {"name": "e", **of(channel="webhook", url="https://x.example/", payload='["\\ud800\\u0000"]')}
    assert "halves of letters" in text_of(alice.post(new(shop, "NOTIFICATION"), {**typed, "sample": '"\\ud800"'}))
    make_event(shop, "sum", configuration={"code": "console.log(input); return input"})
    for at in (
        f"{reverse('jobs:try-form', args=[shop.slug])}?event=sum",
        reverse("jobs:try-event", args=[shop.slug, "sum"]),
    ):
        assert alice.post(at, {**of(code="return input"), "sample": '"\\ud800\\u0000"'}).status_code == 200


def test_a_configuration_that_is_too_long_is_refused_once(alice: Client, shop: Application) -> None:
    typed = {"name": "new", "tag": "new", **of(channel="webhook", url="https://a.example.com/", timeout="30")}
    page = text_of(alice.post(new(shop, "NOTIFICATION"), typed | of(payload=f'["{"x" * 300_000}"]')))
    assert page.count("bytes: at most 262,144 are kept.") == 1
    assert not Event.objects.exists()


def test_what_is_not_ascii_is_no_certificate(alice: Client, shop: Application) -> None:
    typed = {"name": "new", "tag": "new", **of(**SMTP, port="25", security="tls", certificates="é")}
    assert "This is no certificate in PEM" in text_of(alice.post(new(shop, "SMTP", "connection"), typed))
    assert not Connection.objects.exists()
