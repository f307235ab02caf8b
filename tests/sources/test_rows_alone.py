"""Sources that give rows alone: no key keeps a value of theirs, and whoever asks for one is told why."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from django.urls import reverse

from badgerjobs.sources.models import DataSource
from badgerjobs.sources.rows import pulling
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.types import SOURCE_TYPES, no_value_of, type_of
from badgerjobs.workspaces.models import Application
from tests.callers import Caller
from tests.clients import browser_in
from tests.factories import make_source
from tests.in_turn import in_turn
from tests.jobs.form_page import text_of
from tests.sources.fetching import source_of, unfetched
from tests.sources.pulling import pulled

URL = {"url": "https://example.com/rows"}
# What each needs at least.
SERVER = {"host": "server.example.com"}
LEAST: Mapping[str, Mapping[str, Any]] = {
    "JSONL": URL,
    "CSV": URL,
    "XML": {**URL, "rows": "//a"},
    "SQL": {**SERVER, "database": "shop", "query": "SELECT 1"},
    "COLLECTION": {"collection": "products"},
    "STREAM": {**SERVER, "place": "queue", "name": "orders"},
    "CSV_FILE": {},
    "JSONL_FILE": {},
}
WHY = "The source “feed” is CSV: it gives rows, and no single value to keep."


def test_no_key_is_made_of_one(alice: Caller) -> None:
    make_source(alice.application, "feed", type="CSV", configuration=URL, variables=[])
    key = {"name": "k", "source": "feed", "variables": {}}
    refused = alice.post("/keys/", key)
    assert (refused.status, refused.body["errors"]) == (400, {"source": [WHY]})
    many = alice.post("/keys/bulk/", {"keys": [key]})
    assert (many.status, WHY in str(many.body)) == (400, True)


def test_no_key_becomes_one_of_it(alice: Caller) -> None:
    make_source(alice.application, "products", configuration=URL, variables=[])
    make_source(alice.application, "feed", type="CSV", configuration=URL, variables=[])
    assert alice.post("/keys/", {"name": "k", "source": "products"}).status == 201
    assert alice.patch("/keys/k/", {"source": "feed"}).body["errors"] == {"source": [WHY]}


def test_none_is_offered_for_a_key(shop: Application) -> None:
    make_source(shop, "products", configuration=URL)
    make_source(shop, "feed", type="JSONL", configuration=URL)
    page = text_of(browser_in(shop).get(reverse("tasks:new-key", args=[shop.slug])))
    assert "products" in page
    assert "feed" not in page


def test_its_page_offers_no_key(shop: Application) -> None:
    make_source(shop, "feed", type="CSV", configuration=URL, variables=["SHOP"])
    make_source(shop, "products", configuration={**URL, "pages": "page", "rows": "$.items"})
    page = text_of(browser_in(shop).get(reverse("sources:source", args=[shop.slug, "feed"])))
    assert "Whoever pulls its rows gives a value" in page
    assert "New key" not in page
    assert "Between cells" not in page  # what is usual is not told
    page = text_of(browser_in(shop).get(reverse("sources:source", args=[shop.slug, "products"])))
    for said in ("New key", "Pages By number", "Rows $.items"):
        assert said in page
    assert "First page" not in page


@in_turn("kind", [name for name in SOURCE_TYPES if not type_of(name).prepare])
def test_one_that_is_fetched_all_the_same_says_why_not(kind: str) -> None:
    source = source_of(kind, **LEAST[kind])
    came = unfetched(source)
    assert (came.error_class, came.retry) == ("type", False)
    assert came.error == no_value_of(source)


def test_a_source_without_rows_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    source: DataSource = source_of("REST", url="https://example.com")
    source.tag = "products"
    without = replace(type_of("REST"), pull=None)
    monkeypatch.setattr(pulling, "type_of", lambda _: without)
    with pytest.raises(PullError) as caught:
        pulled(source)
    assert (caught.value.error_class, caught.value.sentence) == ("type", "The source “products” gives no rows.")
