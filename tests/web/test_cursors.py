"""Pages by cursor: whichever way one walks, each row comes once, and nobody learns an id."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from badgerjobs.lib import vault
from badgerjobs.runs.models import Runnable
from badgerjobs.web.cursors import Page, page_of
from badgerjobs.workspaces.models import Application
from tests.factories import NOW, make_application, make_runnable

SIZE = 3
ORDERS = ["pk", "-pk", "next_run_at", "-next_run_at", "name", "-name"]


@pytest.fixture
def shop(db: None) -> Application:
    """Eight runnables: three that are due at the same moment, three that are never due, and names that repeat."""
    application = make_application()
    for number in range(8):
        due = None if number % 3 == 2 else NOW + timedelta(hours=number // 5)
        make_runnable(application, name=f"r{number // 2}", next_run_at=due)
    return application


def page(shop: Application, order: str, cursor: str = "") -> Page[Runnable]:
    return page_of(Runnable.objects.for_application(shop), order=order, cursor=cursor, size=SIZE)


def walked(shop: Application, order: str) -> list[Page[Runnable]]:
    pages = [page(shop, order)]
    while pages[-1].later:
        pages.append(page(shop, order, pages[-1].later))
    return pages


def expected(order: str) -> list[Any]:
    name, falling = order.removeprefix("-"), order.startswith("-")
    rows = sorted(Runnable.objects.all(), key=lambda row: row.pk, reverse=falling)
    known = [row for row in rows if getattr(row, name) is not None]
    known.sort(key=lambda row: getattr(row, name), reverse=falling)
    return [*known, *(row for row in rows if getattr(row, name) is None)]


@pytest.mark.parametrize("order", ORDERS)
def test_walking_on_gives_each_row_once_in_its_order_and_null_last(shop: Application, order: str) -> None:
    pages = walked(shop, order)
    assert [row for page in pages for row in page.rows] == expected(order)
    assert [page.before for page in pages] == [0, 3, 6]
    assert pages[0].earlier == pages[-1].later == ""


@pytest.mark.parametrize("order", ORDERS)
def test_walking_back_gives_the_same_pages(shop: Application, order: str) -> None:
    *before, last = walked(shop, order)
    for there in reversed(before):
        last = page(shop, order, last.earlier)
        assert (last.rows, last.before) == (there.rows, there.before)
    assert last.earlier == ""
    assert last.later


@pytest.mark.parametrize("cursor", ["nonsense", "gAAAAAB", "é", "\0"])
def test_what_is_no_cursor_gives_the_first_page(shop: Application, cursor: str) -> None:
    assert page(shop, "pk", cursor).rows == page(shop, "pk").rows


@pytest.mark.parametrize("other", ["next_run_at", "-name"])
def test_a_cursor_of_another_order_gives_the_first_page(shop: Application, other: str) -> None:
    assert page(shop, "name", page(shop, other).later).rows == page(shop, "name").rows


@pytest.mark.parametrize("told", ['["runs.Runnable pk", false, 3, null, "x"]', '["runs.Runnable pk", false]', "7"])
def test_what_we_encrypted_for_something_else_gives_the_first_page(shop: Application, told: str) -> None:
    assert page(shop, "pk", vault.encrypt(told, settings.ENCRYPTION_KEYS)).rows == page(shop, "pk").rows


def test_a_row_that_comes_meanwhile_shifts_nothing(shop: Application) -> None:
    first = page(shop, "-pk")
    make_runnable(shop)
    assert page(shop, "-pk", first.later).rows == expected("-pk")[4:7]


def test_what_comes_before_the_first_page_meanwhile_is_found_by_walking_back(shop: Application) -> None:
    second = page(shop, "-pk", page(shop, "-pk").later)
    newest = [make_runnable(shop) for _ in range(3)]
    back = page(shop, "-pk", second.earlier)
    assert back.before == 1
    assert page(shop, "-pk", back.earlier).rows[0] == newest[-1]
