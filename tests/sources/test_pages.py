"""The pages of sources: the list, one of them, its deletion; what they cost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from badgerjobs.lib.vault import MASK
from badgerjobs.runs.models import Run, State
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.types.endpoint import host_of
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from tasks.keys import of_sources
from tasks.keys.of_sources import KeysOfSource, last_used
from tasks.models import CachedValue
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_key, make_run, make_source, make_sync, make_task
from tests.jobs.form_page import said, text_of


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


@pytest.fixture
def run(shop: Application) -> Run:
    return make_run(make_task(shop).runnable, State.RUNNING, kind="sync")


def at(shop: Application, view: str, *tags: str) -> str:
    return reverse(f"sources:{view}", args=[shop.slug, *tags])


def names(page: Any) -> list[str]:
    return [row.source.tag for row in page.context["rows"]]


def queries(ask: Callable[[], Any]) -> int:
    """How many one costs that is not the first."""
    ask()
    with CaptureQueriesContext(connection) as captured:
        ask()
    return len(captured)


def test_the_list_says_of_each_what_it_calls_and_who_uses_it(alice: Client, shop: Application, run: Run) -> None:
    products = make_source(shop, "products", name="Products")
    make_source(shop, "rates", variables=[], configuration={"url": "http://rates.example.org:8080/{{now %Y}}"})
    make_sync(run, make_key(products), started_at=NOW)
    page = alice.get(at(shop, "sources"))
    text = text_of(page)
    assert names(page) == ["products", "rates"]
    assert "Products products REST example.com PRODUCT_ID 1 key" in text
    assert "rates.example.org:8080" in text
    assert [row.used_at for row in page.context["rows"]] == [NOW, None]


def test_the_list_decrypts_nothing(alice: Client, shop: Application) -> None:
    make_source(shop, "products")
    with CaptureQueriesContext(connection) as captured:
        assert "example.com" in text_of(alice.get(at(shop, "sources")))
    asked = [query["sql"] for query in captured if "sources_datasource" in query["sql"]]
    assert asked
    assert [sql for sql in asked if '"configuration"' in sql] == []


def test_the_list_is_narrowed_by_words_and_by_type(alice: Client, shop: Application) -> None:
    make_source(shop, "products")
    make_source(shop, "reviews", type="GRAPHQL", configuration={"query": "{ a }"})
    assert names(alice.get(at(shop, "sources"), {"q": "REV"})) == ["reviews"]
    assert names(alice.get(at(shop, "sources"), {"type": "rest"})) == ["products"]
    page = alice.get(at(shop, "sources"), {"q": "rev", "type": "REST"})
    assert "No source matches" in text_of(page)
    assert "type: rest" in text_of(page).lower()


def test_without_sources_the_page_says_what_to_do_next(alice: Client, shop: Application) -> None:
    page = text_of(alice.get(at(shop, "sources")))
    assert "No sources yet" in page
    assert "Make the first source" in page
    assert "somebody with the role “editor”" in text_of(browser_in(shop, Role.VIEWER).get(at(shop, "sources")))


def test_the_list_costs_the_same_however_many_there_are(alice: Client, shop: Application) -> None:
    def asked() -> int:
        return queries(lambda: alice.get(at(shop, "sources")))

    make_key(make_source(shop, "first"))
    few = asked()
    for number in range(10):
        make_key(make_source(shop, f"source-{number}"), f"key-{number}")
    assert asked() == few <= 12


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.example.com/{{ID}}", "api.example.com"),
        ("https://api.example.com:8443?a={{ID}}", "api.example.com:8443"),
        ("http://api.example.com:80/", "api.example.com"),
        ("nonsense", ""),
    ],
)
def test_a_host_is_told_without_what_keys_fill(url: str, host: str) -> None:
    assert host_of({"url": url}) == host


def test_a_source_says_what_is_called_and_no_secret(shop: Application) -> None:
    secrets = {"authentication": "basic", "username": "shop", "password": "hunter2", "headers": {"X-Api-Key": "k-1"}}
    make_source(shop, "products", configuration={**secrets, "query": {"page": "2"}, "transform": "return 1"})
    page = text_of(browser_in(shop, Role.VIEWER).get(at(shop, "source", "products")))
    for words in (
        "GET https://example.com/products/{{PRODUCT_ID}}",
        "?page 2",
        f"X-Api-Key {MASK}",
        "Basic: user and password",
        f"Password {MASK}",
        "Variables 1 PRODUCT_ID",
        "No key uses it yet.",
    ):
        assert words in page
    assert "hunter2" not in page
    assert "k-1" not in page
    assert "Edit" not in page


def test_typed_variables_are_told_with_their_types(alice: Client, shop: Application) -> None:
    variables = [{"name": "first", "type": "Int", "value": "{{HOW_MANY}}"}]
    make_source(shop, "reviews", type="GRAPHQL", configuration={"query": "{ a }", "variables": variables})
    assert "$first Int {{HOW_MANY}}" in text_of(alice.get(at(shop, "source", "reviews")))


def test_a_source_says_which_keys_use_it_and_how_they_fared(alice: Client, shop: Application, run: Run) -> None:
    source = make_source(shop)
    for number in range(1, 5):
        key = make_key(source, f"product-{number}", '{"a": 1}')
        bad = number == 2
        more = {"error": "The source answered 503.", "error_class": "status"} if bad else {}
        make_sync(run, key, "failed" if bad else "succeeded", duration_ms=number * 100, **more)
    make_sync(run, make_key(make_source(shop, "other"), "another"), "failed", duration_ms=9000)
    page = alice.get(at(shop, "source", source.tag))
    text = text_of(page)
    for words in ("last 4: 1 failed", "Keys that use it 4", "product-4 400 ms", "The source answered 503.", "300 ms"):
        assert words in text
    assert "another" not in text
    assert f"{reverse('tasks:keys', args=[shop.slug])}?source={source.tag}" in page.content.decode()


def test_of_many_keys_the_first_are_listed_and_all_are_counted(alice: Client, shop: Application) -> None:
    source = make_source(shop)
    for number in range(of_sources.LISTED + 1):
        make_key(source, f"product-{number:03}")
    page = text_of(alice.get(at(shop, "source", source.tag)))
    assert "The first 50 of 51, by name." in page
    assert "product-049" in page
    assert "product-050" not in page


def test_a_key_that_waits_for_its_turn_is_no_sync_yet(shop: Application, run: Run) -> None:
    source = make_source(shop)
    make_sync(run, make_key(source), "waiting")
    assert KeysOfSource(source, NOW).syncs == []


def test_what_is_slow_or_failed_is_named_once(shop: Application) -> None:
    source = make_source(shop)
    key, other = make_key(source), make_key(source, "product-2")
    task = make_task(shop)
    for number, duration in enumerate((100, 300, 200), start=1):
        run = make_run(task.runnable, State.SUCCEEDED, kind="sync", number=number)
        make_sync(run, key, "failed", duration_ms=duration)
    make_sync(run, other, duration_ms=250)
    page = KeysOfSource(source, NOW)
    assert [(sync.key_name, sync.duration_ms) for sync in page.slowest] == [("product-1", 300), ("product-2", 250)]
    assert [(sync.key_name, sync.duration_ms) for sync in page.failures] == [("product-1", 200)]
    assert (page.median_ms, page.p95_ms) == (250, 300)


def test_a_source_that_is_not_among_the_last_syncs_is_told_by_its_keys(
    shop: Application, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = NOW - timedelta(days=40)
    quiet, busy, unused = (make_source(shop, tag) for tag in ("quiet", "busy", "unused"))
    make_sync(run, make_key(busy, "busy-1"), started_at=NOW)
    CachedValue.objects.filter(key=make_key(quiet, "quiet-1")).update(tried_at=long_ago)
    assert last_used(shop, [quiet, busy, unused]) == {quiet.pk: long_ago, busy.pk: NOW}
    assert last_used(shop, []) == {}


def test_the_page_of_a_source_costs_the_same_however_many_keys_there_are(alice: Client, shop: Application) -> None:
    source = make_source(shop)
    run = make_run(make_task(shop).runnable, State.SUCCEEDED, kind="sync")

    def asked() -> int:
        return queries(lambda: alice.get(at(shop, "source", source.tag)))

    make_sync(run, make_key(source))
    few = asked()
    for number in range(10):
        make_sync(run, make_key(source, f"more-{number}"), "failed")
    assert asked() == few <= 12


def test_another_tenants_is_not_there(alice: Client, shop: Application) -> None:
    make_source(make_application("Charlie's"), "theirs")
    for view in ("source", "edit-source", "delete-source"):
        assert alice.get(at(shop, view, "theirs")).status_code == 404
    assert alice.post(f"{at(shop, 'try-source')}?source=theirs", {}).status_code == 404
    assert "theirs" not in text_of(alice.get(at(shop, "sources")))


def test_deleting_asks_first(alice: Client, shop: Application) -> None:
    make_source(shop, "products")
    assert "Delete products?" in text_of(alice.get(at(shop, "delete-source", "products")))
    assert DataSource.objects.exists()
    answer = alice.post(at(shop, "delete-source", "products"))
    assert answer["Location"] == at(shop, "sources")
    assert said(answer)[-1] == "products is deleted."
    assert not DataSource.objects.exists()
    assert AuditEntry.objects.get(action="source.delete").actor == "alice@example.com"


@pytest.mark.parametrize("send", ["get", "post"])
def test_one_that_keys_use_is_not_deleted_and_they_are_named_and_linked(
    alice: Client, shop: Application, send: str
) -> None:
    source = make_source(shop, "products")
    make_key(source, "product-1")
    answer = getattr(alice, send)(at(shop, "delete-source", "products"))
    assert answer["Location"] == at(shop, "source", "products")
    assert "product-1" in said(answer)[-1]
    assert DataSource.objects.exists()
    page = alice.get(answer["Location"]).content.decode()
    assert reverse("tasks:key", args=[shop.slug, "product-1"]) in page
