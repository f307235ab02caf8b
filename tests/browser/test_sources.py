"""Sources made, tried, changed and deleted in a real browser, with scripts and without."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from badgerjobs.sources.models import DataSource, SourceFile
from badgerjobs.sources.types import SOURCE_TYPES
from badgerjobs.workspaces.models import Application, User
from tests.browser.test_events import type_code
from tests.browser.test_every_page import faults
from tests.factories import make_key, make_source

SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])


@pytest.fixture
def receiver(live_server: LiveServer, settings: Any) -> str:
    """The address of something that answers with what it was asked."""
    settings.EGRESS_ALLOW = [live_server.url.removeprefix("http://")]
    return f"{live_server.url}/echo/"


def new(shop: Application, type_name: str) -> str:
    return f"{reverse('sources:new-source', args=[shop.slug])}?type={type_name}"


def alice_with(open_browser: Callable[..., Page], *, scripts: bool) -> Page:
    return open_browser(User.objects.get(email="alice@example.com"), scripts=scripts)


def test_a_source_is_made_tried_and_deleted(shop: Application, alice_browser: Page, receiver: str) -> None:
    page = alice_browser
    page.goto(reverse("sources:sources", args=[shop.slug]))
    page.get_by_role("link", name="Make the first source").click()
    page.get_by_role("link", name="REST").click()
    page.get_by_label("Name", exact=True).fill("products")
    page.get_by_label("URL", exact=True).fill(f"{receiver}{{{{PRODUCT_ID}}}}")
    page.get_by_label("PRODUCT_ID").fill("7 a")
    page.get_by_label("Value of header 1").fill("{{SHOP}}")
    page.get_by_label("Name of header 1").fill("X-Shop")
    expect(page.locator("#value_SHOP")).to_be_visible()
    expect(page.get_by_label("PRODUCT_ID")).to_have_value("7 a")
    page.get_by_label("Authentication").select_option("Bearer token")
    page.get_by_label("Token", exact=True).fill("secret")
    expect(page.get_by_label("Password")).to_be_hidden()
    type_code(page, "configuration_transform", "return {path: response.path}")
    page.get_by_role("button", name="Test Connection").click()
    expect(page.locator("#tried")).to_contain_text("200 OK")
    expect(page.get_by_label("After the transform")).to_contain_text("/echo/7 a")
    assert not DataSource.objects.exists()
    page.get_by_role("button", name="Create the source").click()
    expect(page.get_by_text("products is saved.")).to_be_visible()
    expect(page.get_by_text("No key uses it yet.")).to_be_visible()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the source").click()
    expect(page.get_by_text("products is deleted.")).to_be_visible()
    assert not DataSource.objects.exists()


def test_who_types_a_value_is_not_disturbed(shop: Application, alice_browser: Page) -> None:
    """Neither the field nor what is in it changes while other fields of the form do."""
    page = alice_browser
    make_source(shop, "products")
    page.goto(reverse("sources:edit-source", args=[shop.slug, "products"]))
    page.get_by_label("PRODUCT_ID").evaluate("field => { field.wasThere = true; }")
    with page.expect_response(lambda answer: "try-source" in answer.url) as looked:
        page.get_by_label("Name", exact=True).fill("Another name")
    assert looked.value.status == 204
    assert page.get_by_label("PRODUCT_ID").evaluate("field => field.wasThere")


@SCRIPTS
def test_rows_of_typed_variables_come_and_go(
    shop: Application, open_browser: Callable[..., Page], scripts: bool
) -> None:
    page = alice_with(open_browser, scripts=scripts)
    page.goto(new(shop, "GRAPHQL"))
    page.get_by_label("Name", exact=True).fill("reviews")
    page.get_by_label("URL", exact=True).fill("https://api.example.com/graphql")
    if scripts:
        type_code(page, "configuration_query", "query Q($id: ID!, $n: Int) { a }")
    else:
        page.get_by_role("textbox", name="Query").fill("query Q($id: ID!, $n: Int) { a }")
    for number, (name, kind, value) in enumerate((("gone", "JSON", "1"), ("id", "ID", "{{ID}}"), ("n", "Int", "3")), 1):
        if number > 1:
            page.get_by_role("button", name="Add a variable").click()
        page.get_by_label(f"Name of variable {number}").fill(name)
        page.get_by_label(f"Type of variable {number}").select_option(kind)
        page.get_by_label(f"Value of variable {number}").fill(value)
    page.get_by_role("button", name="Remove variable 1").click()
    expect(page.get_by_label("Name of variable 3")).to_have_count(0)
    expect(page.get_by_label("Name of variable 2")).to_have_value("n")
    page.get_by_role("button", name="Create the source").click()
    expect(page.get_by_text("reviews is saved.")).to_be_visible()
    source = DataSource.objects.get()
    assert source.configuration["variables"] == [
        {"name": "id", "type": "ID", "value": "{{ID}}"},
        {"name": "n", "type": "Int", "value": "3"},
    ]
    assert source.variables == ["ID"]


def test_each_kind_of_row_is_added_to_its_own_list(shop: Application, alice_browser: Page) -> None:
    page = alice_browser
    page.goto(new(shop, "REST"))
    page.get_by_role("button", name="Add a parameter").click()
    page.get_by_role("button", name="Add a header").click()
    page.get_by_role("button", name="Add a header").click()
    counts = [page.get_by_label(f"Name of {what}").count() for what in ("parameter", "header")]
    assert counts == [2, 3]
    page.get_by_role("button", name="Remove header 2").click()
    assert page.locator("[name=header_name]").count() == 2
    assert page.get_by_role("button", name="Remove header 2").get_attribute("value") == "remove-header:2"


def test_a_form_works_without_scripts(shop: Application, open_browser: Callable[..., Page], receiver: str) -> None:
    page = alice_with(open_browser, scripts=False)
    page.goto(new(shop, "REST"))
    page.get_by_label("Name", exact=True).fill("products")
    page.get_by_label("URL", exact=True).fill(f"{receiver}{{{{PRODUCT_ID}}}}")
    page.get_by_role("button", name="Test Connection").click()
    page.get_by_label("PRODUCT_ID").fill("7")
    page.get_by_role("button", name="Test Connection").click()
    expect(page.get_by_label("Body of the answer")).to_contain_text("/echo/7")
    page.get_by_label("Transform", exact=True).fill("return response.price")
    page.get_by_label("Example response").fill('{"price": 42}')
    page.get_by_role("button", name="Try the transform").click()
    expect(page.get_by_label("What it returned")).to_have_text("42")
    expect(page.get_by_label("PRODUCT_ID")).to_have_value("7")
    page.get_by_role("button", name="Create the source").click()
    expect(page.get_by_text("products is saved.")).to_be_visible()
    assert DataSource.objects.get().configuration["transform"] == "return response.price"


def test_a_transform_is_tried_on_an_example(shop: Application, alice_browser: Page) -> None:
    page = alice_browser
    page.goto(new(shop, "REST"))
    type_code(page, "configuration_transform", "console.log('hello'); return response.a + 1")
    type_code(page, "example", '{"a": 41}')
    page.get_by_role("button", name="Try the transform").click()
    expect(page.get_by_label("What it returned")).to_have_text("42")
    expect(page.get_by_role("list", name="Console")).to_contain_text("hello")
    found = faults(page)
    assert not found, "\n".join(found)


def test_one_that_keys_use_is_kept_and_they_are_named(shop: Application, alice_browser: Page) -> None:
    make_key(make_source(shop, "products"), "product-1")
    alice_browser.goto(reverse("sources:source", args=[shop.slug, "products"]))
    alice_browser.get_by_role("link", name="Delete").click()
    expect(alice_browser.get_by_text("The source is used by the key “product-1”.").first).to_be_visible()
    expect(alice_browser.get_by_role("dialog")).to_be_hidden()
    expect(alice_browser.get_by_role("link", name="product-1")).to_be_visible()


def test_the_list_is_narrowed_as_one_types(shop: Application, alice_browser: Page) -> None:
    make_source(shop, "products")
    make_source(shop, "reviews", type="GRAPHQL", configuration={"query": "{ a }"})
    page = alice_browser
    page.goto(reverse("sources:sources", args=[shop.slug]))
    page.get_by_label("Type", exact=True).select_option("rest")
    expect(page.get_by_role("link", name="reviews", exact=True)).to_have_count(0)
    expect(page).to_have_url(f"{page.url.partition('?')[0]}?type=REST")
    page.get_by_role("searchbox").fill("nothing")
    expect(page.get_by_role("heading", name="No source matches")).to_be_visible()
    page.get_by_role("link", name="Remove all filters").click()
    expect(page.get_by_role("link", name="products", exact=True)).to_be_visible()


@pytest.mark.parametrize("authentication", ["none", "basic", "bearer", "api_key", "oauth2_client", "oauth2_password"])
def test_an_authentication_shows_its_own_fields_alone(
    shop: Application, alice_browser: Page, authentication: str
) -> None:
    page = alice_browser
    page.goto(new(shop, "REST"))
    page.locator("[name=configuration_authentication]").select_option(authentication)
    shown = {
        "none": [],
        "basic": ["username", "password"],
        "bearer": ["token"],
        "api_key": ["api_key_name", "api_key", "api_key_in"],
        "oauth2_client": ["token_url", "client_id", "client_secret", "client_in", "scope"],
        "oauth2_password": [
            "token_url", "username", "password", "client_id", "client_secret", "client_in", "scope",
        ],
    }[authentication]  # fmt: skip
    fields = page.locator(".only").evaluate_all(
        "all => all.filter(one => one.checkVisibility()).map(one => one.querySelector('[name]').name)"
    )
    assert fields == [f"configuration_{name}" for name in shown]


@pytest.mark.parametrize("kind", list(SOURCE_TYPES))
def test_the_form_of_each_type_is_for_everybody(shop: Application, alice_browser: Page, kind: str) -> None:
    alice_browser.goto(new(shop, kind))
    authentication = alice_browser.locator("[name=configuration_authentication]")
    if authentication.count():
        authentication.select_option("oauth2_password")
    alice_browser.get_by_role("button", name="Create the source").click()
    alice_browser.wait_for_load_state()
    more = alice_browser.locator("details.more:not([open]) summary")
    if more.count():
        more.click()
    found = faults(alice_browser)
    assert not found, "\n".join(found)


@SCRIPTS
def test_a_file_is_tried_and_uploaded(shop: Application, open_browser: Callable[..., Page], scripts: bool) -> None:
    page, table = alice_with(open_browser, scripts=scripts), b"id;price\n1;1,50\n2;2\n"
    page.goto(new(shop, "CSV_FILE"))
    page.get_by_label("Name", exact=True).fill("prices")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "prices.csv", "mimeType": "text/csv", "buffer": table}
    )
    page.get_by_role("button", name="Test the file").click()
    expect(page.get_by_role("region", name="The first rows")).to_contain_text("1.5")
    if not scripts:  # a page that is loaded anew has no file any more
        page.get_by_label("File", exact=True).set_input_files(
            {"name": "prices.csv", "mimeType": "text/csv", "buffer": table}
        )
    assert not SourceFile.objects.exists()
    page.get_by_role("button", name="Create the source").click()
    expect(page.get_by_text("prices is saved.")).to_be_visible()
    expect(page.get_by_role("region", name="File")).to_contain_text("by alice@example.com")
    assert (DataSource.objects.get().file.name, SourceFile.objects.get().bytes) == ("prices.csv", len(table))


@pytest.mark.parametrize("place", ["queue", "stream", "list"])
def test_a_place_shows_its_own_fields_alone(shop: Application, alice_browser: Page, place: str) -> None:
    alice_browser.goto(new(shop, "STREAM"))
    alice_browser.locator(f"[name=configuration_place][value={place}]").check()
    shown = {"queue": ["virtual_host"], "stream": ["database", "field"], "list": ["database"]}[place]
    fields = alice_browser.locator(".only").evaluate_all(
        "all => all.filter(one => one.checkVisibility()).map(one => one.querySelector('[name]').name)"
    )
    assert fields == [f"configuration_{name}" for name in shown]
