"""Runs narrowed by what was wrong and by why they were not run, in the address of the list."""

import pytest
from django.http import QueryDict
from django.urls import reverse

from badgerjobs.runs import listing
from badgerjobs.runs.filters import RunFilters
from badgerjobs.runs.models import Run, Runnable, State
from badgerjobs.workspaces.models import Application
from tests.clients import browser_in
from tests.factories import make_application, make_job, make_run
from tests.plans import plan_of
from tests.runs.staging import queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def nightly(shop: Application) -> Runnable:
    """Runs 1 to 7, and two rows of what was skipped; Charlie has one of each."""
    runnable, theirs = (make_job(place, "nightly").runnable for place in (shop, make_application("Charlie's")))
    for number, (state, error) in enumerate(
        [
            (State.FAILED, "timeout"),
            (State.FAILED, "status"),
            (State.RETRYING, "timeout"),
            (State.ABORTED, "timeout"),
            (State.QUEUED, "timeout"),
            (State.SUCCEEDED, ""),
            (State.FAILED, "lost"),
        ],
        start=1,
    ):
        make_run(runnable, state, number=number, error_class=error)
        make_run(theirs, state, number=90 + number, error_class=error)
    for number, reason in ((8, "missed"), (9, "overlap")):
        make_run(runnable, State.SKIPPED, number=number, skip_reason=reason)
    return runnable


def test_a_state_that_is_named_again_and_again_is_one(shop: Application) -> None:
    filters = RunFilters(QueryDict("state=queued,failed,queued&state=queued" + 100 * ",queued"))
    assert filters.states == ["queued", "failed"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("error_class=timeout", [5, 4, 3, 1]),
        ("error_class=timeout&state=failed", [1]),
        ("error_class=timeout&state=failed&state=retrying", [3, 1]),
        ("error_class=timeout&state=succeeded", []),
        ("error_class=lost", [7]),
        ("error_class=superseded", []),
        ("skip_reason=missed", [8]),
        ("skip_reason=overlap&cause=manual", [9]),
        ("skip_reason=missed&state=failed", []),
        ("skip_reason=paused", []),
        ("error_class=timeout&name=other", []),
    ],
)
def test_runs_are_narrowed(shop: Application, nightly: Runnable, query: str, found: list[int]) -> None:
    page = browser_in(shop).get(f"{reverse('runs:list', args=[shop.slug])}?{query}").context["page"]
    assert [run.number for run in page.runs] == found


def test_what_is_set_is_told_in_words_and_taken_away_one_by_one() -> None:
    filters = RunFilters(QueryDict("error_class=timeout&skip_reason=missed"))
    assert filters.chips() == [
        ("error: no answer in time", "skip_reason=missed"),
        ("skipped: missed", "error_class=timeout"),
    ]


@pytest.mark.parametrize(
    ("query", "said"),
    [("error_class=rain", "“rain” is no class of error."), ("skip_reason=rain", "“rain” is no reason")],
)
def test_what_is_none_is_told(shop: Application, query: str, said: str) -> None:
    page = browser_in(shop).get(f"{reverse('runs:list', args=[shop.slug])}?{query}").content.decode()
    assert said in page


@pytest.mark.parametrize("query", ["error_class=timeout", "skip_reason=missed"])
def test_the_few_are_found_by_indexes_that_hold_no_good_run(shop: Application, nightly: Runnable, query: str) -> None:
    queue(nightly, 3000, state=State.SUCCEEDED)
    filters = RunFilters(QueryDict(query))
    search = listing.Search(shop, filters)
    plans = [plan_of(search.part(state)) for state in filters.searched_states]
    assert plans
    assert [plan for plan in plans if "run_of_application" in plan] == []


def test_by_rest_the_few_are_found_by_indexes_that_hold_no_good_run(shop: Application, nightly: Runnable) -> None:
    queue(nightly, 3000, state=State.SUCCEEDED)
    runs = Run.objects.for_application(shop)
    assert "run_ended_badly" in plan_of(runs.not_run(["missed"]).order_by("-id")[:101])
