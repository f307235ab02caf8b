"""Trying a source out from its form: before it is saved, with values for its variables, and its transform alone."""

from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from badgerjobs.lib.vault import MASK
from badgerjobs.sources import trials
from badgerjobs.sources.models import DataSource
from badgerjobs.workspaces.models import Application, AuditEntry
from jobs import echo
from tests.clients import browser_in
from tests.factories import make_source
from tests.jobs.form_page import headers, text_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


@pytest.fixture
def receiver(live_server: LiveServer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of something that answers with all that it was asked: the demo's own hides credentials."""
    monkeypatch.setattr(echo, "mask", dict)
    settings.EGRESS_ALLOW = [live_server.url.removeprefix("http://")]
    return f"{live_server.url}/echo/"


def at(shop: Application, query: str) -> str:
    return f"{reverse('sources:try-source', args=[shop.slug])}?{query}"


def tried(alice: Client, shop: Application, meant: str = "type=REST", part: str = "tried", **fields: Any) -> Any:
    """The part that a button asks for, as scripts do. `fields` are those of the configuration."""
    sent = {"configuration_authentication": "none", "configuration_method": "GET"}
    for name, value in fields.items():
        sent[name if name.startswith(("value_", "header_", "example", "do")) else f"configuration_{name}"] = value
    return alice.post(at(shop, meant), sent, headers={"HX-Request": "true", "HX-Target": part})


def test_what_the_form_says_is_called_and_nothing_is_saved(alice: Client, shop: Application, receiver: str) -> None:
    answer = tried(
        alice, shop, url=f"{receiver}{{{{PRODUCT_ID}}}}?in={{{{LANGUAGE}}}}", value_PRODUCT_ID="7/a",
        value_LANGUAGE="de", **headers(("X-Shop", "{{SHOP}}")), value_SHOP="north",
        transform="console.log('asked for', variables.PRODUCT_ID); return {of: response.path}",
    )  # fmt: skip
    part = text_of(answer)
    assert answer.templates[0].name == "sources/edit/tried.html"
    for words in ("200 OK after", "After the transform", "log asked for 7/a"):
        assert words in part
    body, _, value = unescape(part).replace(" ", "").partition("Afterthetransform")
    for words in ('"X-Shop":"north"', '"in":"de"'):
        assert words in body
    assert '"of":"/echo/7/a"' in value
    assert not DataSource.objects.exists()
    assert AuditEntry.objects.get(action="source.test").actor == "alice@example.com"


def test_a_stored_secret_is_sent_for_its_stars(alice: Client, shop: Application, receiver: str) -> None:
    stored = {"url": receiver, "authentication": "bearer", "token": "t-123"}
    source = make_source(shop, configuration=stored)
    answer = tried(alice, shop, f"source={source.tag}", url=receiver, authentication="bearer", token=MASK)
    assert "Bearer t-123" in text_of(answer)
    source.refresh_from_db()
    assert source.configuration["token"] == "t-123"


def test_a_source_that_was_never_called_for_want_of_a_token_has_no_status(
    alice: Client, shop: Application, receiver: str
) -> None:
    asks = {"authentication": "oauth2_client", "token_url": receiver, "client_id": "shop", "client_secret": "s"}
    part = text_of(tried(alice, shop, url=receiver, **asks))
    assert "no token after" in part
    assert "answered 200 without an access_token" in part
    assert "200 OK" not in part


def test_a_private_address_is_refused_and_says_what_would_let_it(alice: Client, shop: Application) -> None:
    part = text_of(tried(alice, shop, url="http://10.0.0.1/"))
    assert "not allowed after" in part
    assert "EGRESS_ALLOW" in part


def test_a_transform_that_fails_is_said_with_the_answer_beside_it(
    alice: Client, shop: Application, receiver: str
) -> None:
    answer = tried(alice, shop, url=receiver, transform="return response.a.b")
    assert "200 OK after" in text_of(answer)
    assert "The transform failed: TypeError" in text_of(answer)
    assert 'data-error-of="configuration_transform"' in answer.content.decode()
    assert "After the transform" not in text_of(answer)


def test_what_is_wrong_in_the_form_is_in_the_way(alice: Client, shop: Application) -> None:
    answer = tried(alice, shop, url="example.com", timeout="0")
    assert "Nothing was called." in text_of(answer)
    assert 'data-error-of="configuration_url"' in answer.content.decode()
    assert not AuditEntry.objects.filter(action="source.test").exists()


def test_who_tries_too_often_is_told(alice: Client, shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "PER_MINUTE", 0)
    assert "An application tries sources 0 times a minute" in text_of(tried(alice, shop, url="https://x.example/"))
    given: dict[str, Any] = {"do": "transform", "transform": "return 1", "example": "1"}
    assert "0 times a minute" in text_of(tried(alice, shop, part="transformed", **given))


def test_an_example_with_a_number_that_is_too_large_is_refused(alice: Client, shop: Application) -> None:
    given: dict[str, Any] = {"do": "transform", "transform": "return 1", "example": "[1e309]"}
    assert "Example response: A number in it is larger" in text_of(tried(alice, shop, part="transformed", **given))


@pytest.mark.parametrize(
    ("example", "words"),
    [('{"price": 7}', "log number 7"), ("plain text", "log string"), ("[1]", "log object")],
    ids=["object", "text", "list"],
)
def test_a_transform_is_tried_on_an_example_though_the_rest_is_half_typed(
    alice: Client, shop: Application, example: str, words: str
) -> None:
    code = "console.log(typeof (response.price ?? response), response.price); return {gave: variables.ID}"
    answer = tried(
        alice, shop, part="transformed", do="transform", url="https://x.example/{{ID}}{{", transform=code,
        example=example, **headers(("X-Id", "{{ID}}")), value_ID="<i>",
    )  # fmt: skip
    part = text_of(answer)
    assert answer.templates[0].name == "sources/edit/transformed.html"
    assert "returned" in part
    assert '"gave":"<i>"' in unescape(part).replace(" ", "")
    assert words in part
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("code", "example", "words"),
    [
        ("", "1", "There is no code yet"),
        ("return {", "1", "SyntaxError"),
        ("return 1", "", "Paste an example"),
        ("return 1", "{", "Example response: This is no JSON. Line 1, column 2"),
        ("return response.a.b", "{}", "TypeError"),
    ],
    ids=["no code", "no JavaScript", "no example", "no JSON", "throws"],
)
def test_what_keeps_a_transform_from_being_tried_is_said(
    alice: Client, shop: Application, code: str, example: str, words: str
) -> None:
    part = tried(alice, shop, part="transformed", do="transform", transform=code, example=example)
    assert words in text_of(part)


def test_variables_are_found_while_they_are_typed(alice: Client, shop: Application) -> None:
    answer = tried(
        alice, shop, part="declared", url="https://x.example/{{PRODUCT_ID}}/{{now %Y}}/{{", body="{{BODY}}",
        **headers(("X-A", "{{SHOP}}")), value_BODY="kept",
    )  # fmt: skip
    assert answer.templates[0].name == "sources/edit/declared.html"
    assert [name for name, *_ in answer.context["declared"]] == ["SHOP", "BODY"]  # the URL is no template yet
    assert 'value="kept"' in answer.content.decode()
    assert not AuditEntry.objects.exists()


def test_of_a_query_in_graphql_the_braces_declare_nothing(alice: Client, shop: Application) -> None:
    answer = tried(
        alice, shop, "type=GRAPHQL", part="declared", url="https://x.example/", query="query {{ a }}",
        variable_name="id",
    )  # fmt: skip
    assert answer.status_code == 204
    address = at(shop, "type=GRAPHQL")
    typed = {"variable_name": ["id"], "variable_type": ["ID"], "variable_value": ["{{PRODUCT_ID}}"]}
    answer = alice.post(address, typed, headers={"HX-Request": "true", "HX-Target": "declared"})
    assert [name for name, *_ in answer.context["declared"]] == ["PRODUCT_ID"]


def test_fields_that_are_there_already_are_left_to_who_types_in_them(alice: Client, shop: Application) -> None:
    url = "https://x.example/{{PRODUCT_ID}}"
    assert tried(alice, shop, part="declared", url=url, value_PRODUCT_ID="7").status_code == 204
    assert tried(alice, shop, part="declared", url=url).status_code == 200


def test_without_scripts_the_whole_page_comes_back_as_it_was_typed(alice: Client, shop: Application) -> None:
    typed = {"name": "kept", "configuration_url": "http://10.0.0.1/{{ID}}", "value_ID": "7", "example": '{"a": 1}',
             "configuration_authentication": "none", "do": "test"}  # fmt: skip
    page = alice.post(at(shop, "type=REST"), typed)
    for words in ('value="kept"', 'value="7"', "{&quot;a&quot;: 1}", "not allowed"):
        assert words in page.content.decode()
    assert page.context["is_changed"]


def test_who_comes_without_a_form_is_sent_to_one(alice: Client, shop: Application) -> None:
    new = reverse("sources:new-source", args=[shop.slug])
    assert alice.post(at(shop, "type=pigeon"), {})["Location"] == new
    assert alice.get(at(shop, "type=REST")).status_code == 302
