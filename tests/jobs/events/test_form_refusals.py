"""What the forms of events and connections refuse: in the words of REST, beside the field, and without breaking."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from badgerjobs.web.definitions.configurations import SECRETS_STAY
from badgerjobs.workspaces.models import Application
from jobs.events.forms import NEEDS_ONE, NEEDS_TO_BE_MADE
from jobs.models import Connection, Event
from tests.callers import Caller, caller_for
from tests.clients import browser_in
from tests.factories import make_connection, make_event
from tests.jobs.events.event_forms import SMTP, edit, new, of, opened
from tests.jobs.form_page import text_of


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


@pytest.fixture
def program(shop: Application) -> Caller:
    return caller_for(shop)


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
