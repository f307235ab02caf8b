"""The table of rows on a collection's page: from page to page and back, also while runs bring others."""

import html
import re
from typing import Any
from urllib.parse import parse_qsl

import pytest

from badgerjobs.workspaces.models import Application
from slurps.collecting import grid
from slurps.collecting.reading import pages
from slurps.models import Collection
from tests.factories import make_collection
from tests.slurps.pages.slurp_pages import at, look, made_job, text_of
from tests.slurps.storing.loads import load

ROWS = [{"id": number, "price": None if number == 4 else number % 3, "title": f"Mug {number}"} for number in range(7)]


@pytest.fixture(autouse=True)
def _two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "ROWS", 2)


def filled(shop: Application, rows: list[Any], **fields: Any) -> Collection:
    given = {"mode": "versioned", "keep": 5, "key": ["id"], **fields}
    collection = make_collection(shop, async_job=made_job(shop), **given)
    load(collection, rows)
    return collection


def ids(answer: Any) -> list[str]:
    """What stands in the first column."""
    page = answer.content.decode()
    [table] = re.findall(r'<table class="table dense grid".*?</table>', page, re.DOTALL)
    return re.findall(r"<tr><td[^>]*>(.*?)</td>", table)


def beside(shop: Application, answer: Any, rel: str) -> Any:
    """The page before (`prev`) or behind it (`next`); None where no link leads to one."""
    address = at(shop, "collection", "prices")
    links = re.findall(rf'href="{address}(\?[^"#]+)#rows" rel="{rel}"', answer.content.decode())
    if not links:
        return None
    query: dict[str, Any] = dict(parse_qsl(html.unescape(links[0])[1:]))
    return look(shop, "collection", "prices", **query)


def walk(shop: Application, answer: Any, rel: str) -> list[Any]:
    """This page and all that follow on that side."""
    found = [answer]
    while answer := beside(shop, answer, rel):
        found.append(answer)
    return found


@pytest.mark.parametrize("indexed", [[], ["price"]], ids=["no index", "index"])
@pytest.mark.parametrize(
    "query",
    [{}, {"sort": "price"}, {"sort": "-price"}, {"column": "price", "op": "in", "value": "0,1"}, {"q": "mug"}],
    ids=str,
)
def test_the_way_back_shows_the_pages_of_the_way_there(
    shop: Application, query: dict[str, Any], indexed: list[str]
) -> None:
    filled(shop, ROWS, indexed=indexed)
    there = walk(shop, look(shop, "collection", "prices", **query), "next")
    back = walk(shop, there[-1], "prev")
    assert [ids(page) for page in back] == [ids(page) for page in there[::-1]]
    assert len(there) > 1
    assert [page.context["grid"]().first for page in back[::-1]] == list(range(1, 2 * len(there), 2))


def test_both_ways_lead_through_the_version_in_which_the_reader_is(shop: Application) -> None:
    collection = filled(shop, ROWS)
    first = look(shop, "collection", "prices")
    assert "What readers see" not in text_of(first)
    load(collection, ROWS[:1])
    second = beside(shop, first, "next")
    assert "What readers see · " in text_of(second)
    load(collection, ROWS[:1])
    assert ids(beside(shop, second, "prev")) == ["0", "1"]


def test_where_its_rows_were_replaced_and_it_is_kept_no_more_that_is_said(shop: Application) -> None:
    collection = filled(shop, ROWS, mode="normal")
    second = beside(shop, look(shop, "collection", "prices", sort="-id"), "next")
    load(collection, ROWS)
    for rel in ("prev", "next"):
        gone = beside(shop, second, rel)
        assert "Version 1, in which you were, is not kept any more" in text_of(gone)
        assert f'id="first-rows" href="{at(shop, "collection", "prices")}?sort=-id#rows"' in gone.content.decode()


def test_where_rows_keep_their_places_it_goes_on_in_the_newest_and_says_so(shop: Application) -> None:
    collection = filled(shop, ROWS, mode="upserted")
    second = beside(shop, look(shop, "collection", "prices"), "next")
    load(collection, [{"id": 7}, {"id": 1, "title": "Cup"}])
    back, on = beside(shop, second, "prev"), beside(shop, second, "next")
    assert (ids(back), ids(on)) == (["0", "1"], ["4", "5"])
    for page in (back, on):
        assert "Version 1, in which you were, is not kept any more: these are the rows of version 2" in text_of(page)


def test_who_comes_back_to_the_first_page_sees_it_whole(shop: Application) -> None:
    collection = filled(shop, ROWS, mode="upserted", key=["id"])
    second = beside(shop, look(shop, "collection", "prices", sort="-id"), "next")
    load(collection, [{"id": 8}])
    third = beside(shop, second, "prev")
    first = beside(shop, third, "prev")
    assert (ids(second), ids(third), ids(first)) == (["4", "3"], ["6", "5"], ["8", "6"])
    assert first.context["grid"]().first == 1
    assert beside(shop, first, "prev") is None


def test_rows_of_any_length_are_shown_and_cut_where_they_lie(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_BYTES", 10_000)
    long = "\N{OWL}" * 9000
    filled(shop, [{"id": 1, "text": long, "list": [long], "none": None, "is": True, "size": {"h": 1.5}}, {"id": 2}])
    answer = look(shop, "collection", "prices")
    assert ids(answer) == ["1", "2"]
    [first, second] = answer.context["grid"]().rows
    assert [cell.kind for cell in first] == ["number", "text", "json", "null", "boolean", "json"]
    assert [len(cell.whole) for cell in first] == [0, 2001, 2001, 0, 0, 0]
    assert [first[place].text for place in (0, 3, 4, 5)] == ["1", "null", "true", '{"h": 1.5}']
    assert [cell.kind for cell in second] == ["number", *["nothing"] * 5]
