"""The list of cache keys: what it shows, filters and order; what it costs; and what is done with several."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.models import Run
from badgerjobs.web.definitions import list_pages
from badgerjobs.workspaces.models import Application, Role
from tasks.keys import bulk_question, views
from tasks.models import CachedValue, CacheKey
from tests.clients import browser_in
from tests.factories import make_application, make_key, make_source

HOUR = timedelta(hours=1)


def look(shop: Application, role: Role = Role.OWNER, **query: Any) -> str:
    return browser_in(shop, role).get(reverse("tasks:keys", args=[shop.slug]), query).content.decode()


def text(page: str) -> str:
    """What stands on a page, blanks made one."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def shown(shop: Application, **query: Any) -> list[str]:
    """The names of the rows, in their order."""
    return re.findall(r'id="key-([^"]+)"', look(shop, **query))


def four(shop: Application) -> None:
    """A key in each state."""
    now = timezone.now()
    source, other = make_source(shop, "products"), make_source(shop, "others")
    fresh = make_key(source, "product-1", "1", tags=["a"], ttl_s=3600)
    stale = make_key(source, "product-11", "[]", tags=["a", "b"], ttl_s=1)
    make_key(other, "Product_1")
    failed = make_key(other, "99", '"x"')
    CachedValue.objects.filter(key__in=[fresh, stale]).update(fetched_at=now - timedelta(minutes=5))
    CachedValue.objects.filter(key=failed).update(fetched_at=now - HOUR, error_class="status", error="It answered 500.")


FILTERS: list[tuple[dict[str, str], list[str]]] = [
    ({}, ["99", "Product_1", "product-1", "product-11"]),
    ({"sort": "newest"}, ["99", "Product_1", "product-11", "product-1"]),
    ({"sort": "nonsense", "state": "nonsense"}, ["99", "Product_1", "product-1", "product-11"]),
    ({"q": "product-1"}, ["product-1", "product-11"]),
    ({"q": "PRODUCT"}, []),
    ({"q": "_"}, ["Product_1"]),
    ({"q": "%"}, []),
    ({"q": "1"}, ["Product_1", "product-1", "product-11"]),
    ({"state": "fresh"}, ["product-1"]),
    ({"state": "stale"}, ["product-11"]),
    ({"state": "unfilled"}, ["Product_1"]),
    ({"state": "failed"}, ["99"]),
    ({"source": "others"}, ["99", "Product_1"]),
    ({"tag": "b"}, ["product-11"]),
    ({"tag": "a", "q": "11", "sort": "newest"}, ["product-11"]),
]


@pytest.mark.parametrize(("query", "names"), FILTERS, ids=[json.dumps(query) for query, _ in FILTERS])
def test_a_filter_shows_what_matches(shop: Application, query: dict[str, str], names: list[str]) -> None:
    four(shop)
    make_key(make_source(make_application("Charlie's"), "products"), "product-1 Product_1 %", "1", tags=["a", "b"])
    assert shown(shop, **query) == names


def test_a_row_says_how_it_is(shop: Application) -> None:
    four(shop)
    said = text(look(shop))
    for words in ("99 It answered 500. failing 1 h ago", "product-1 fresh 5 min ago", "product-11 stale 5 min ago",
                  "2 bytes products a , b", "Product_1 never filled never", "1\u20134 of 4, by name"):  # fmt: skip
        assert words in said, words


def test_pages_are_walked_by_cursor_and_counted(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_pages, "ROWS", 2)
    source = make_source(shop)
    for number in range(5):
        make_key(source, f"key-{number}")
    browser, at, seen = browser_in(shop), f"{reverse('tasks:keys', args=[shop.slug])}?q=key", []
    for said in ("1\u20132 of 5, by name", "3\u20134 of 5, by name", ">5 of 5, by name"):
        page = browser.get(at).content.decode()
        assert said in page
        seen += re.findall(r'id="key-([^"]+)"', page)
        if later := re.search(r'id="later" href="([^"]+)"', page):
            at = later[1].replace("&amp;", "&")
    assert seen == [f"key-{number}" for number in range(5)]


@pytest.mark.parametrize(
    "query", [{}, {"q": "product"}, {"state": "stale"}, {"tag": "a", "source": "a-source"}, {"sort": "newest"}], ids=str
)
def test_a_page_asks_as_much_for_many_as_for_one_and_reads_no_value(shop: Application, query: dict[str, str]) -> None:
    def asked() -> int:
        browser = browser_in(shop)
        browser.get(at, query)
        with CaptureQueriesContext(connection) as captured:
            browser.get(at, query)
        assert not [one["sql"] for one in captured if '"body"' in one["sql"] or '"configuration"' in one["sql"]]
        return len(captured)

    at, source = reverse("tasks:keys", args=[shop.slug]), make_source(shop)
    make_key(source, "product-0", "1", tags=["a"], ttl_s=1)
    few = asked()
    for number in range(1, 30):
        make_key(source, f"product-{number}", "1", tags=["a"], ttl_s=1)
    assert asked() == few <= 12


def test_who_has_nothing_is_told_what_to_do_next(shop: Application) -> None:
    assert "Make a source first" in look(shop)
    make_source(shop)
    assert "Make the first key" in look(shop)
    assert "You may look, and not change anything" in look(shop, Role.VIEWER)


def test_who_may_only_look_has_nothing_to_tick(shop: Application) -> None:
    make_key(make_source(shop), "a")
    assert 'type="checkbox"' not in look(shop, Role.VIEWER)


# Several at once


def send(shop: Application, query: str = "", **form: Any) -> Any:
    return browser_in(shop).post(f"{reverse('tasks:bulk-keys', args=[shop.slug])}{query}", form)


def hidden(answer: Any) -> dict[str, Any]:
    """What the form of a question carries."""
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', answer.content.decode())
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


@pytest.mark.parametrize(
    ("form", "query", "question", "left"),
    [
        ({"key": ["99", "product-1"]}, "", "Delete 2 keys?", {"Product_1", "product-11"}),
        ({"key": ["99", "nobody"]}, "", "Delete 1 key?", {"Product_1", "product-1", "product-11"}),
        ({"all": "1"}, "?q=product-1", "Delete 2 keys?", {"99", "Product_1"}),
        ({"all": "1"}, "?state=failed", "Delete 1 key?", {"Product_1", "product-1", "product-11"}),
        ({"all": "1"}, "", "Delete 4 keys?", set()),
    ],
)
def test_keys_are_deleted_when_that_was_asked(
    shop: Application, form: dict[str, Any], query: str, question: str, left: set[str]
) -> None:
    four(shop)
    charlies = make_key(make_source(make_application("Charlie's")), "99")
    asked = send(shop, query, do="delete", **form)
    assert question in text(asked.content.decode())
    assert CacheKey.objects.count() == 5
    assert send(shop, query, **{**hidden(asked), **form}).status_code == 302
    assert {key.name for key in CacheKey.objects.for_application(shop)} == left
    assert CacheKey.objects.filter(pk=charlies.pk).exists()


def test_all_that_match_are_those_that_the_person_was_told_of(shop: Application) -> None:
    four(shop)
    asked = send(shop, do="delete", all="1")
    make_key(make_source(shop, "later"), "later")
    send(shop, **hidden(asked))
    assert [key.name for key in CacheKey.objects.all()] == ["later"]


def test_a_yes_to_nobody_knows_which_is_asked_again(shop: Application) -> None:
    four(shop)
    assert "Delete 4 keys?" in text(send(shop, do="delete", all="1", asked="4", shown="x").content.decode())
    again = text(send(shop, do="delete", key=["99", "product-1"], asked="1").content.decode())
    assert "There are 2 by now, and not 1." in again


def test_keys_are_synced_in_one_run(shop: Application) -> None:
    four(shop)
    asked = send(shop, do="sync", all="1")
    assert "Sync 4 keys now" in text(asked.content.decode())
    send(shop, **hidden(asked))
    run: Any = Run.objects.get()
    assert (run.kind, sorted(run.input["keys"])) == ("refresh", sorted(CacheKey.objects.values_list("pk", flat=True)))


def test_what_cannot_be_done_is_said(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    four(shop)
    monkeypatch.setattr(bulk_question, "MOST", 3)
    monkeypatch.setattr(views, "MOST", 3)
    browser = browser_in(shop)
    at = reverse("tasks:bulk-keys", args=[shop.slug])
    for form, said in (
        ({"do": "delete", "all": "1"}, "More than 3 keys match"),
        ({"do": "delete"}, "Tick the keys that you mean"),
        ({"do": "explode", "all": "1"}, "Choose what to do: sync or delete."),
    ):
        assert said in browser.post(at, form, follow=True).content.decode()
    assert CacheKey.objects.count() == 4
