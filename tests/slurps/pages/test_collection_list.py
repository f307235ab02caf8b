"""The list of the collections of an application."""

from typing import Any

import pytest

from badgerjobs.workspaces.models import Application, Role
from slurps.models import Collection
from tests.factories import make_collection
from tests.slurps.collecting.held import hold_rows
from tests.slurps.pages.slurp_pages import look, made_job, queries, text_of
from tests.slurps.storing.loads import load

ROWS = [{"id": 1}, {"id": 2}]


def made(shop: Application, name: str, **fields: Any) -> Collection:
    given = {"mode": "versioned", "keep": 5, "async_job": made_job(shop, f"of-{name}"), **fields}
    return make_collection(shop, name=name, **given)


def test_without_any_it_says_what_comes_here_and_leads_to_the_jobs(shop: Application) -> None:
    page = text_of(look(shop, "collections", role=Role.VIEWER))
    assert "No collections yet" in page
    assert "Look at the async jobs" in page


def test_each_is_told_with_its_job_its_version_and_what_waits(shop: Application) -> None:
    prices = made(shop, "prices")
    load(prices, ROWS)
    load(prices, ROWS[:1])
    prices.pinned = prices.versions.get(number=1)
    prices.save()
    waits = made(shop, "Waits")
    load(waits, ROWS)
    hold_rows(waits, [])
    made(shop, "empty", is_active=False)
    page = text_of(look(shop, "collections", role=Role.VIEWER))
    for said in (
        "empty not active Of-Empty Versioned none yet 0",
        "prices active Of-Prices Versioned 2, ",
        "1 pinned 2",
    ):
        assert said in page
    assert "Waits a result waits Of-Waits Versioned 1, " in page
    assert page.index("empty not active") < page.index("prices active") < page.index("Waits a result")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"q": "PRI"}, ["prices"]),
        ({"state": "active"}, ["prices", "waits"]),
        ({"state": "not active"}, ["empty"]),
        ({"state": "a result waits"}, ["waits"]),
        ({"state": "pinned"}, ["prices"]),
        ({"state": "nonsense", "q": " "}, ["empty", "prices", "waits"]),
        ({"q": "none"}, []),
    ],
)
def test_it_is_narrowed_by_the_address(shop: Application, query: dict[str, Any], names: list[str]) -> None:
    prices, waits, _ = made(shop, "prices"), made(shop, "waits"), made(shop, "empty", is_active=False)
    load(prices, ROWS)
    hold_rows(waits, [])
    prices.pinned = prices.current
    prices.save()
    answer = look(shop, "collections", **query)
    assert [row.name for row in answer.context["page"].rows] == names


def test_it_costs_no_more_for_more(shop: Application) -> None:
    load(made(shop, "first"), ROWS)
    before = queries(shop, "collections")
    for number in range(4):
        load(made(shop, f"more-{number}"), ROWS)
    assert queries(shop, "collections") == before


def test_one_row_is_one_row_on_each_page(shop: Application) -> None:
    load(made(shop, "prices"), ROWS[:1])
    for name, *args in (["collections"], ["collection", "prices"], ["job", "of-prices"]):
        page = text_of(look(shop, name, *args))
        assert "1 row " in page
        assert "1 rows" not in page
