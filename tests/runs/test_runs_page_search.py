"""The list of runs as a page: what it finds, in which order, and how far it looks."""

from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.urls import reverse

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs import listing
from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.models import Application
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_job, make_run, make_runnable
from tests.plans import plan_of
from tests.runs.runs_page import address, history, no_filters, shown
from tests.runs.staging import queue

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [8, 7, 6, 5, 4, 3, 2, 1]),
        ("?state=failed", [6]),
        ("?state=failed&state=queued", [6, 2]),
        ("?state=failed,succeeded", [6, 5]),
        ("?state=scheduled&state=retrying&state=running", [4, 3, 1]),
        ("?cause=manual", [8, 6, 4, 2]),
        ("?cause=manual&state=failed&state=aborted", [6]),
        ("?kind=http", [8, 7, 6, 5, 4, 3, 2, 1]),
        ("?name=nightly&state=skipped", [8]),
        ("?name=other", []),
        ("?since=2000-01-01T00:00", [8, 7, 6, 5, 4, 3, 2, 1]),
        ("?until=2000-01-01T00:00", []),
        ("?since=1066-01-01T00:00&state=running", [3]),
    ],
)
def test_runs_are_listed_newest_first_and_narrowed_by_the_address(
    shop: Application, query: str, found: list[int]
) -> None:
    history(shop)
    other = make_job(make_application("Charlie's"), "nightly").runnable
    make_run(other, State.FAILED, number=99)
    assert shown(browser_in(shop), shop, query) == found


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?state=bogus", "“bogus” is no state of a run."),
        ("?cause=why", "“why” is no cause of a run."),
        ("?since=yesterday", "This is no time: write it like 2026-11-21T22:50."),
        ("?since=2026-03-02T00:00&until=2026-03-01T00:00", "“From” is after “to”"),
    ],
)
def test_a_filter_that_cannot_be_read_is_told_and_never_widens_what_is_done(
    shop: Application, query: str, said: str, rung: list[str]
) -> None:
    history(shop)
    client = browser_in(shop)
    assert said in client.get(address(shop, query)).content.decode()
    client.post(f"{reverse('runs:abort-many', args=[shop.slug])}{query}&all=1", {"asked": "9"})
    assert not Run.objects.filter(error="Aborted on request.").exists()


def test_the_page_says_in_which_zone_its_span_of_time_is_meant(shop: Application) -> None:
    client = browser_in(shop)
    client.cookies["zone"] = "Asia/Tokyo"
    page = client.get(address(shop)).content.decode()
    assert '<span class="second" id="filter-zone">in Tokyo</span>' in page
    assert page.count('aria-describedby="filter-zone"') == 2


def test_pages_follow_each_other_both_ways_and_nothing_is_lost_or_doubled(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    history(shop)
    client = browser_in(shop)
    first = client.get(address(shop)).context["page"]
    assert [run.number for run in first.runs] == [8, 7, 6]
    assert first.newer is None
    second = client.get(address(shop, f"?before={first.older}")).context["page"]
    assert [run.number for run in second.runs] == [5, 4, 3]
    last = client.get(address(shop, f"?before={second.older}")).context["page"]
    assert ([run.number for run in last.runs], last.older) == ([2, 1], None)
    back = client.get(address(shop, f"?after={last.newer}")).context["page"]
    assert [run.number for run in back.runs] == [5, 4, 3]
    assert shown(client, shop, f"?after={back.newer}") == [8, 7, 6]


def test_a_walk_for_something_rare_ends_says_so_and_goes_on_from_there(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "WALK", 3)
    history(shop)
    client, found = browser_in(shop), []
    query = "?cause=manual&state=succeeded&state=queued&state=scheduled"
    page = client.get(address(shop, query)).context["page"]
    assert page.runs == []
    assert page.looked_to is not None
    assert "Look further back" in client.get(address(shop, query)).content.decode()
    while page.older:
        page = client.get(address(shop, f"{query}&before={page.older}")).context["page"]
        found += [run.number for run in page.runs]
    assert found == [2]


def test_a_cursor_that_is_none_begins_at_the_newest(shop: Application) -> None:
    history(shop)
    assert shown(browser_in(shop), shop, "?before=nonsense")[0] == 8


def test_rare_states_are_found_by_an_index_that_holds_nothing_else(shop: Application) -> None:
    history(shop)
    queue(make_runnable(shop), 3000, state=State.SUCCEEDED, finished_at=NOW)
    search = listing.Search(shop, no_filters(), states=[State.FAILED])
    assert "run_ended_badly" in plan_of(search.part("failed"))


def test_when_a_run_was_made_is_read_from_its_id() -> None:
    assert listing.made_at(uuid7_floor(NOW)) == NOW
    assert listing.made_at(UUID(int=0)).year == 1970


@pytest.mark.parametrize("letters", ["Nightly", "PRICES", "light", "%", "nightly prices"])
def test_runs_are_found_by_parts_of_a_name_or_a_tag_in_any_case(shop: Application, letters: str) -> None:
    make_run(make_job(shop, "repricing-light", name="Nightly prices 5%").runnable, number=7)
    make_run(make_job(shop, "other").runnable, number=8)
    make_run(make_job(make_application("Charlie's"), "nightly-light").runnable, number=9)
    assert shown(browser_in(shop), shop, f"?{urlencode({'name': letters})}") == [7]


@pytest.mark.parametrize("state", ["", "&state=queued", "&state=queued&state=failed"])
@pytest.mark.parametrize("count", [listing.OWNERS, listing.OWNERS + 1])
def test_the_runs_of_many_jobs_come_in_one_order(shop: Application, count: int, state: str) -> None:
    runnables = [make_job(shop, f"part-{number}").runnable for number in range(count)]
    for number in range(2 * count):
        make_run(runnables[number % count], number=number)
    make_run(make_job(shop, "other").runnable, number=99)
    assert shown(browser_in(shop), shop, f"?name=part{state}") == list(reversed(range(2 * count)))


def test_of_more_jobs_than_are_looked_up_one_by_one_the_search_has_an_end(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "WALK", 3)
    monkeypatch.setattr(listing, "OWNERS", 1)
    for tag in ("part-1", "part-2"):
        make_run(make_job(shop, tag).runnable, number=1)
    other = make_job(shop, "other").runnable
    for number in range(5):
        make_run(other, number=number)
    page = browser_in(shop).get(address(shop, "?name=part")).context["page"]
    assert (page.runs, page.looked_to is not None) == ([], True)
