"""The forms of sources: each type has one, rows come and go without scripts, secrets stay what they are."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from badgerjobs.lib.vault import MASK
from badgerjobs.sources.looks import LOOKS
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.types import SOURCE_TYPES, type_of
from badgerjobs.web.definitions.configurations import SECRETS_STAY
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from tests.callers import Caller, caller_for
from tests.clients import browser_in
from tests.factories import make_key, make_source
from tests.jobs.form_page import headers, said, text_of

URL = "https://api.example.com/products/{{PRODUCT_ID}}"


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


@pytest.fixture
def program(shop: Application) -> Caller:
    return caller_for(shop)


def new(shop: Application, type_name: str) -> str:
    return f"{reverse('sources:new-source', args=[shop.slug])}?type={type_name}"


def edit(source: DataSource) -> str:
    return reverse("sources:edit-source", args=[source.application.slug, source.tag])


def of(**fields: Any) -> dict[str, Any]:
    """Fields of the configuration as the form calls them."""
    return {f"configuration_{name}": value for name, value in fields.items()}


def rows(what: str, *given: tuple[str, ...]) -> dict[str, list[str]]:
    """Rows of a kind as a browser sends them."""
    columns = ("name", "type", "value") if what == "variable" else ("name", "value")
    return {f"{what}_{column}": [row[place] for row in given] for place, column in enumerate(columns)}


def opened(alice: Client, address: str) -> dict[str, Any]:
    """What the form sends that nobody has touched."""
    context = alice.get(address).context
    form = context["form"]
    sent: dict[str, Any] = {"seen": context["seen"]}
    for name, field in form.fields.items():
        value = form[name].value()
        kind = getattr(field, "kind", None)
        if kind:
            sent |= rows(kind.what, *value)
        elif value not in (None, False):
            sent[name] = "on" if value is True else value
    return sent


def test_a_new_one_begins_with_its_type(alice: Client, shop: Application) -> None:
    page = text_of(alice.get(reverse("sources:new-source", args=[shop.slug])))
    for label in ("REST", "GraphQL", "An HTTP request with placeholders"):
        assert label in page
    assert "Choose what it is" in text_of(alice.get(new(shop, "pigeon")))


@pytest.mark.parametrize("type_name", list(SOURCE_TYPES))
def test_each_field_of_each_type_has_its_place_in_the_form(alice: Client, shop: Application, type_name: str) -> None:
    page = alice.get(new(shop, type_name))
    fields = type_of(type_name).serializer().fields
    assert set(LOOKS[type_name]) == set(fields)
    for name in fields:
        kind = getattr(page.context["form"].fields[f"configuration_{name}"], "kind", None)
        shown = f"{kind.what}_name" if kind else f"configuration_{name}"
        assert f'name="{shown}"' in page.content.decode()


MADE = [
    (
        "REST",
        {**of(method="POST", url=URL, body='{"id": {{PRODUCT_ID}}}', transform="return response.a", timeout="5",
              authentication="bearer", token="secret"),
         **rows("parameter", ("page", "{{PAGE}}"), ("", "")), **headers(("X-Shop", "{{SHOP}}"))},
        {"method": "POST", "url": URL, "body": '{"id": {{PRODUCT_ID}}}', "transform": "return response.a", "timeout": 5,
         "authentication": "bearer", "token": "secret", "query": {"page": "{{PAGE}}"},
         "headers": {"X-Shop": "{{SHOP}}"}},
        ["PRODUCT_ID", "PAGE", "SHOP"],
    ),
    (
        "REST",
        of(method="GET", url="https://api.example.com/", authentication="api_key", api_key="k", api_key_name="key",
           api_key_in="query"),
        {"authentication": "api_key", "api_key": "k", "api_key_name": "key", "api_key_in": "query", "query": {}},
        [],
    ),
    (
        "GRAPHQL",
        {**of(url="https://api.example.com/graphql", query="query P($id: ID!, $n: Int) {\r\n  product(id: $id) }"),
         **rows("variable", ("id", "ID", "{{PRODUCT_ID}}"), ("$n", "Int", "3"), ("", "String", ""))},
        {"query": "query P($id: ID!, $n: Int) {\n  product(id: $id) }",
         "variables": [{"name": "id", "type": "ID", "value": "{{PRODUCT_ID}}"},
                       {"name": "n", "type": "Int", "value": "3"}]},
        ["PRODUCT_ID"],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", MADE, ids=["rest", "api key", "graphql"])
def test_each_type_is_made_as_it_was_typed(
    alice: Client, shop: Application, case: tuple[str, Any, Any, list[str]]
) -> None:
    type_name, typed, stored, variables = case
    answer = alice.post(new(shop, type_name), {"name": "products", "configuration_authentication": "none", **typed})
    assert answer.status_code == 302, text_of(answer)
    source = DataSource.objects.get()
    assert answer["Location"] == reverse("sources:source", args=[shop.slug, "products"])
    assert (source.tag, source.name, source.type) == ("products", "products", type_name)
    assert {name: source.configuration[name] for name in stored} == stored
    assert source.variables == variables
    assert said(answer) == ["products is saved."]
    assert AuditEntry.objects.get(action="source.create").actor == "alice@example.com"


CALLED = [name for name in SOURCE_TYPES if "authentication" in type_of(name).serializer().fields]


@pytest.mark.parametrize("type_name", CALLED)
def test_what_nobody_touched_stays_as_it_is(alice: Client, shop: Application, type_name: str) -> None:
    graphql = {"query": "{ a }", "variables": [{"name": "id", "type": "ID", "value": "{{ID}}"}]}
    rest = {"query": {"page": "{{PAGE}}"}, "body": "a\nb"}
    secret = {"authentication": "basic", "username": "shop", "password": "hunter2", "headers": {"X-Api-Key": "k"}}
    own: Any = {"GRAPHQL": graphql, "XML": {**rest, "rows": "/catalog/product"}}.get(type_name, rest)
    source = make_source(shop, type=type_name, configuration={**own, **secret})
    before = DataSource.objects.get().configuration
    sent = opened(alice, edit(source))
    assert (sent["configuration_password"], sent["header_value"]) == (MASK, [MASK])
    answer = alice.post(edit(source), {**sent, "name": "New name"})
    assert answer.status_code == 302, text_of(answer)
    source.refresh_from_db()
    assert (source.name, source.configuration) == ("New name", before)


def test_a_stored_secret_goes_to_nobody_else(alice: Client, shop: Application) -> None:
    source = make_source(shop, configuration={"authentication": "bearer", "token": "hunter2"})
    sent = {**opened(alice, edit(source)), **of(url="https://elsewhere.example.com/")}
    page = alice.post(edit(source), sent)
    assert page.context["form"].errors == {"configuration_token": [SECRETS_STAY]}
    tried = f"{reverse('sources:try-source', args=[shop.slug])}?source={source.tag}"
    assert SECRETS_STAY in text_of(alice.post(tried, sent))
    assert not AuditEntry.objects.filter(action="source.test").exists()


@pytest.mark.parametrize(
    "case",
    [
        (of(url="example.com"), {"url": "example.com"}, "url"),
        (of(url="https://{{HOST}}/"), {"url": "https://{{HOST}}/"}, "url"),
        (of(url=URL, timeout="0"), {"url": URL, "timeout": 0}, "timeout"),
        (of(url=URL, authentication="bearer"), {"url": URL, "authentication": "bearer"}, "token"),
        (of(url=URL, transform="return {"), {"url": URL, "transform": "return {"}, "transform"),
        (of(url=URL, body="{{a.b}}"), {"url": URL, "body": "{{a.b}}"}, "body"),
    ],
    ids=["no scheme", "a host that keys fill", "no time", "no token", "no JavaScript", "no flat name"],
)
def test_what_is_wrong_is_said_in_the_words_of_rest_beside_its_field(
    alice: Client, program: Caller, shop: Application, case: tuple[Any, Any, str]
) -> None:
    typed, given, field = case
    answer = program.post("/sources/", {"tag": "s", "type": "REST", "configuration": given})
    page = alice.post(new(shop, "REST"), {"name": "s", "configuration_authentication": "none", **typed})
    assert page.status_code == 200
    assert page.context["form"].errors == {f"configuration_{field}": [answer.errors[f"configuration.{field}"][0]]}
    assert f'id="configuration_{field}_error"' in page.content.decode()
    assert "Nothing is saved yet: 1 field needs a change." in text_of(page)
    assert not DataSource.objects.exists()


@pytest.mark.parametrize("what", ["header", "parameter"])
def test_rows_come_and_go_without_scripts(alice: Client, shop: Application, what: str) -> None:
    given = rows(what, ("X-A", "1"))
    more = alice.post(new(shop, "REST"), {"name": "kept", **given, "do": f"add-{what}"}).content.decode()
    assert more.count(f'name="{what}_name"') == 3  # two, and the one that scripts copy
    assert 'value="kept"' in more
    assert more.partition(f'id="{what}_name_2"')[2].partition(">")[0].endswith("autofocus")
    less = alice.post(new(shop, "REST"), {**given, "do": f"remove-{what}:1"}).content.decode()
    assert 'value="X-A"' not in less


def test_variables_keep_their_types_while_rows_come_and_go(alice: Client, shop: Application) -> None:
    given = rows("variable", ("a", "Int", "1"), ("b", "JSON", "{}"))
    more = alice.post(new(shop, "GRAPHQL"), {**given, "do": "add-variable"}).context["form"]
    assert more["configuration_variables"].value() == [("a", "Int", "1"), ("b", "JSON", "{}"), ("", "", "")]
    page = alice.post(new(shop, "GRAPHQL"), {**given, "do": "remove-variable:1"})
    assert page.context["form"]["configuration_variables"].value() == [("b", "JSON", "{}")]
    assert "<option selected>JSON</option>" in page.content.decode()


@pytest.mark.parametrize(
    ("given", "words", "row"),
    [
        ([("", "1")], "This value needs a name; or remove the row.", 1),
        ([("a", "1"), ("a", "2")], "There is a parameter a above already.", 2),
    ],
    ids=["no name", "twice"],
)
def test_what_is_wrong_with_a_row_stands_beside_it(
    alice: Client, shop: Application, given: list[tuple[str, str]], words: str, row: int
) -> None:
    typed = {"name": "s", **of(url=URL, authentication="none"), **rows("parameter", *given)}
    page = alice.post(new(shop, "REST"), typed).content.decode()
    assert f'id="parameter_error_{row}">{words}<' in page
    assert f'<a href="#parameter_name_{row}">Parameter {row}</a>' in page


def test_a_value_that_is_none_of_its_type_is_refused_by_its_name(alice: Client, shop: Application) -> None:
    typed = of(url="https://x.example/", query="{ a }", authentication="none")
    page = alice.post(new(shop, "GRAPHQL"), {"name": "s", **typed, **rows("variable", ("first", "Int", "many"))})
    assert "The variable first is an Int: “many” is none." in page.context["form"].errors["configuration_variables"]


def test_what_another_authentication_would_show_is_not_told(alice: Client, shop: Application) -> None:
    typed = of(url=URL, authentication="none", token="left over", token_url="nonsense")
    assert alice.post(new(shop, "REST"), {"name": "s", **typed}).status_code == 302
    assert DataSource.objects.get().configuration["token"] == ""


def test_a_variable_that_keys_do_not_give_is_said_when_it_is_saved(alice: Client, shop: Application) -> None:
    source = make_source(shop)
    make_key(source, "product-1")
    answer = alice.post(edit(source), {**opened(alice, edit(source)), **of(url=f"{URL}?in={{{{LANGUAGE}}}}")})
    assert answer.status_code == 302
    assert [words for words in said(answer) if "product-1" in words and "LANGUAGE" in words]


def test_a_tag_that_is_taken_is_said_beside_the_name(alice: Client, shop: Application) -> None:
    make_source(shop, "products")
    page = alice.post(new(shop, "REST"), {"name": "products", **of(url=URL, authentication="none")})
    assert page.context["form"].errors == {
        "name": ["There is a source with the tag “products” already: give this one another."]
    }


def test_what_somebody_else_changed_meanwhile_is_not_overwritten_unasked(alice: Client, shop: Application) -> None:
    source = make_source(shop)
    sent = opened(alice, edit(source))
    source.save()
    page = alice.post(edit(source), {**sent, "name": "Mine"})
    assert "Somebody else changed this while the form was open." in text_of(page)
    assert alice.post(edit(source), {**sent, "name": "Mine", "seen": page.context["seen"]}).status_code == 302


def test_that_somebody_changed_it_meanwhile_is_not_forgotten_over_another_mistake(
    alice: Client, shop: Application
) -> None:
    source = make_source(shop)
    sent = opened(alice, edit(source))
    source.save()
    wrong = alice.post(edit(source), {**sent, **of(url="")})
    assert wrong.context["seen"] == sent["seen"]
    page = alice.post(edit(source), {**sent, "seen": wrong.context["seen"]})
    assert "Somebody else changed this while the form was open." in text_of(page)


def test_a_viewer_may_not_and_a_stranger_finds_nothing(shop: Application) -> None:
    source = make_source(shop)
    bob = browser_in(shop, Role.VIEWER)
    assert bob.get(edit(source)).status_code == 403
    assert bob.get(new(shop, "REST")).status_code == 403
