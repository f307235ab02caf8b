"""The list of background tasks: what its rows say, its filters, its order, its pages, and what it costs."""

import re
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from badgerjobs.runs.models import State
from badgerjobs.workspaces.models import Application, Role
from tasks.background import views
from tests.clients import browser_in
from tests.factories import NOW, make_application
from tests.tasks.background.pages_of import defined, definition, look, make_background, names_of, text_of

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("state", "run", "status"),
    [
        (State.SCHEDULED, {}, "pending"),
        (State.QUEUED, {}, "pending"),
        (State.RUNNING, {}, "running"),
        (State.RETRYING, {}, "running"),
        (State.SCHEDULED, {"started_at": NOW}, "running"),
        (State.QUEUED, {"started_at": NOW}, "running"),
        (State.SUCCEEDED, {}, "success"),
        (State.FAILED, {}, "failed"),
        (State.ABORTED, {}, "aborted"),
        (State.ABORTED, {"started_at": None}, "aborted"),
    ],
)
def test_a_row_says_how_it_stands_in_webinys_words(
    shop: Application, state: State, run: dict[str, Any], status: str
) -> None:
    make_background(shop, state, run=run)
    assert f">{status}</span>" in look(shop).content.decode()
    assert names_of(look(shop, status=status)) == ["Sync articles"]


def test_a_row_says_what_its_definition_is_called(shop: Application) -> None:
    with defined(definition(title="All articles")):
        make_background(shop)
        assert "All articles" in text_of(look(shop))


def test_a_row_of_a_definition_that_is_gone_says_its_id(shop: Application) -> None:
    with defined():
        make_background(shop, definition="wasHereOnce")
        assert "wasHereOnce" in text_of(look(shop))


def test_a_row_says_how_far_it_is_until_it_is_over(shop: Application) -> None:
    make_background(shop, State.RUNNING, progress=0.29, progress_message="Page 29 of 100")
    page = look(shop).content.decode()
    assert 'value="29" max="100"' in page
    assert "Page 29 of 100" in page


def test_a_row_that_is_over_has_no_progress(shop: Application) -> None:
    make_background(shop, State.SUCCEEDED, progress=0.29, progress_message="Page 29 of 100")
    page = look(shop).content.decode()
    assert "<progress" not in page
    assert "Page 29 of 100" not in page


def test_a_row_says_why_it_failed(shop: Application) -> None:
    make_background(shop, State.FAILED, run={"error": "Task reached max iterations."})
    assert "Task reached max iterations." in text_of(look(shop))


@pytest.mark.parametrize(
    ("state", "offered", "not_offered"),
    [(State.RUNNING, "Abort Sync", "Delete Sync"), (State.SUCCEEDED, "Delete Sync", "Abort Sync")],
)
def test_only_what_goes_on_is_aborted_and_only_what_is_over_is_deleted(
    shop: Application, state: State, offered: str, not_offered: str
) -> None:
    make_background(shop, state)
    page = look(shop).content.decode()
    assert offered in page
    assert not_offered not in page


def test_who_may_only_look_changes_nothing(shop: Application) -> None:
    make_background(shop)
    page = look(shop, role=Role.VIEWER).content.decode()
    assert "Sync articles" in page
    for word in ("Abort", "Delete", "Trigger", 'type="checkbox"'):
        assert word not in page


def test_another_applications_are_not_shown(shop: Application) -> None:
    make_background(make_application("Charlie's"), name="theirs")
    make_background(shop, name="ours")
    assert names_of(look(shop)) == ["ours"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"q": "PAGE"}, ["one page"]),
        ({"q": "%"}, []),
        ({"definition": "syncPage"}, ["one page"]),
        ({"status": "failed"}, ["all"]),
        ({"status": "nonsense"}, ["all", "one page"]),
        ({"since": "2026-03-02T12:30"}, ["all"]),
        ({"until": "2026-03-02T12:30"}, ["one page"]),
        ({"since": "1066-01-01T00:00"}, ["all", "one page"]),
        ({"since": "soon"}, ["all", "one page"]),
        ({"q": "page", "status": "failed"}, []),
    ],
)
def test_a_filter_shows_what_matches(shop: Application, query: dict[str, str], names: list[str]) -> None:
    _made_at(shop, 0, name="one page", definition="syncPage")
    _made_at(shop, 1, name="all", state=State.FAILED)
    browser = browser_in(shop)
    browser.cookies["zone"] = "UTC"
    assert names_of(browser.get(reverse("background:list", args=[shop.slug]), query)) == names


def test_the_filter_offers_what_is_defined_what_has_runs_and_what_was_chosen(shop: Application) -> None:
    make_background(make_application("Charlie's"), definition="theirs")
    for gone in ("wasHereOnce", "wasHereOnce", "alsoGone"):
        make_background(shop, definition=gone)
    with defined(definition(title="All articles"), definition("secretOne", title="A secret", is_private=True)):
        options = _definitions_in(look(shop))
        assert options == ["", "alsoGone", "secretOne", "syncArticles", "wasHereOnce"]
        page = look(shop, definition="neverHeardOf").content.decode()
    assert '<option value="neverHeardOf" selected>neverHeardOf</option>' in page
    assert ">A secret</option>" in page


def test_a_page_that_looks_again_does_not_ask_for_the_choices(shop: Application) -> None:
    make_background(shop)
    at = reverse("background:list", args=[shop.slug])
    browser = browser_in(shop)
    with CaptureQueriesContext(connection) as queries:
        browser.get(at, headers={"HX-Request": "true", "HX-Target": "results"})
    assert not [query for query in queries if "run_here" in query["sql"]]


def test_the_list_leads_to_the_definitions_by_that_name(shop: Application) -> None:
    make_background(shop)
    with defined(definition()):
        for role in (Role.OWNER, Role.VIEWER):
            page = look(shop, role=role).content.decode()
            assert reverse("background:definitions", args=[shop.slug]) in page
            assert ">Definitions <kbd>" in page


def _definitions_in(answer: Any) -> list[str]:
    select = answer.content.decode().partition('<select name="definition"')[2].partition("</select>")[0]
    return re.findall(r'<option value="([^"]*)"', select)


def test_those_that_one_triggered_can_be_asked_for(shop: Application) -> None:
    parent = make_background(shop, name="parent")
    make_background(shop, name="child", parent_id=parent.pk)
    assert names_of(look(shop, parent=str(parent.pk))) == ["child"]


def test_a_filter_that_cannot_be_read_is_told(shop: Application) -> None:
    make_background(shop)
    assert "This filter cannot be read, and narrows nothing: status, since." in text_of(
        look(shop, status="nonsense", since="soon")
    )


def test_what_a_form_sends_empty_does_not_stay_in_the_address(shop: Application) -> None:
    answer = look(shop, q="", status="failed", sort="name")
    assert answer["Location"].endswith("/background-tasks/?status=failed&sort=name")


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("", ["c", "B", "a"]),
        ("created", ["a", "B", "c"]),
        ("name", ["a", "B", "c"]),
        ("-name", ["c", "B", "a"]),
        ("definition", ["B", "a", "c"]),
        ("started", ["B", "c", "a"]),
        ("-started", ["c", "B", "a"]),
        ("status", ["B", "c", "a"]),
        ("-status", ["a", "c", "B"]),
        ("finished", ["B", "c", "a"]),
        ("nonsense", ["c", "B", "a"]),
    ],
)
def test_a_column_sorts(shop: Application, sort: str, names: list[str]) -> None:
    _made_at(shop, 0, name="a", definition="second", state=State.QUEUED)
    _made_at(shop, 1, name="B", definition="first", state=State.FAILED, run=_span(3))
    _made_at(shop, 2, name="c", definition="second", state=State.FAILED, run=_span(4))
    query: dict[str, Any] = {"sort": sort} if sort else {}
    assert names_of(look(shop, **query)) == names


@pytest.mark.parametrize("sort", ["-created", "name", "-started", "finished", "status", "-status"])
def test_a_page_leads_to_the_next_one_and_back_in_any_order(shop: Application, sort: str) -> None:
    for number in range(5):
        _made_at(shop, number, name=f"number {number}", state=State.FAILED, run=_span(number))
    seen: list[str] = []
    at = f"{reverse('background:list', args=[shop.slug])}?sort={sort}"
    with patch.object(views, "ROWS", 2):
        for _ in range(3):
            answer = browser_in(shop).get(at)
            seen += names_of(answer)
            at = next((link for link in _links(answer) if "cursor=" in link and 'rel="next"' in link), "")
            at = at.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert len(seen) == 5
    assert sorted(seen) == [f"number {number}" for number in range(5)]


def test_a_list_that_has_not_moved_is_not_sent_again(shop: Application) -> None:
    background = make_background(shop)
    stamp = _stamp_of(look(shop))
    assert look(shop, seen=stamp).status_code == 204
    background.progress = 0.5
    background.save()
    assert look(shop, seen=stamp).status_code == 200


def test_an_empty_list_says_what_to_do_next(shop: Application) -> None:
    with defined(definition()):
        assert "Trigger the first one" in text_of(look(shop))
        assert "somebody with the role “editor” triggers the first one" in text_of(look(shop, role=Role.VIEWER))


def test_an_empty_list_without_definitions_says_where_they_come_from(shop: Application) -> None:
    with defined():
        page = text_of(look(shop))
    assert "BACKGROUND_TASKS" in page
    assert "Trigger the first one" not in page


def test_a_list_of_which_nothing_matches_says_how_to_see_more(shop: Application) -> None:
    make_background(shop)
    page = text_of(look(shop, q="nothing is called so"))
    assert "No background task matches" in page
    assert "all background tasks" in page


def test_a_list_costs_the_same_however_many_there_are(shop: Application) -> None:
    make_background(shop)
    one = _queries(shop)
    for _ in range(9):
        make_background(shop)
    assert _queries(shop) == one


def _queries(shop: Application) -> int:
    browser, at = browser_in(shop), reverse("background:list", args=[shop.slug])
    browser.get(at)
    with CaptureQueriesContext(connection) as caught:
        assert browser.get(at).status_code == 200
    return len(caught)


def _made_at(shop: Application, hours: int, *, state: State = State.RUNNING, **fields: Any) -> UUID:
    return make_background(shop, state, created_at=NOW + hours * HOUR, **fields).run_id


def _span(hours: int) -> dict[str, Any]:
    return {"started_at": NOW + hours * HOUR, "finished_at": NOW + (hours + 1) * HOUR}


def _links(answer: Any) -> list[str]:
    return [f"<a {part}" for part in answer.content.decode().split("<a ")[1:]]


def _stamp_of(answer: Any) -> str:
    return str(answer.content.decode().partition('{"seen": "')[2].partition('"')[0])
