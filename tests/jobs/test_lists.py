"""Lists of jobs, and what is counted for each: filters, search, and as many queries for a hundred as for one."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs.models import Runnable, State
from tests.callers import Caller
from tests.factories import make_attempt, make_job, make_run

LATER = datetime(2999, 1, 1, tzinfo=UTC)


@pytest.fixture
def shop(alice: Caller, charlie: Caller) -> Caller:
    """Alice with four jobs, each different; Charlie has one that would match everything."""
    make_job(alice.application, "prices", name="Refresh prices", verb="POST", run_at=LATER)
    make_job(alice.application, "stock", name="Count stock", verb="GET", endpoint="https://PRICES.example.com/")
    make_job(alice.application, "off", verb="POST", run_at=LATER, enabled=False)
    make_job(alice.application, "100%", name="under_score", verb="DELETE")
    make_job(charlie.application, "prices", name="prices 100% under_score", verb="POST", run_at=LATER)
    return alice


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["100%", "off", "stock", "prices"]),
        ("search=price", ["stock", "prices"]),
        ("search=REFRESH", ["prices"]),
        ("search=tock", ["stock"]),
        ("search=%25", ["100%"]),
        ("search=_", ["100%"]),
        ("search=nothing", []),
        ("search=", ["100%", "off", "stock", "prices"]),
        ("enabled=true", ["100%", "stock", "prices"]),
        ("enabled=false", ["off"]),
        ("planned=true", ["prices"]),
        ("planned=false", ["100%", "off", "stock"]),
        ("verb=post", ["off", "prices"]),
        ("verb=POST&enabled=true", ["prices"]),
        ("verb=GET,DELETE", ["100%", "stock"]),
        ("limit=1", ["100%"]),
    ],
)
def test_a_list_is_narrowed_by_what_the_address_says(shop: Caller, query: str, found: list[str]) -> None:
    assert [job["tag"] for job in shop.get(f"/jobs/?{query}").body["results"]] == found


def test_results_are_counted_not_runs(alice: Caller) -> None:
    job, other = make_job(alice.application, "a"), make_job(alice.application, "b")
    retried, fine = make_run(job.runnable), make_run(job.runnable)
    for number, ok in [(1, False), (2, False), (3, True)]:
        make_attempt(retried, number, ok)
    make_attempt(fine)
    make_attempt(make_run(other.runnable), 1, ok=False)
    listed = {row["tag"]: (row["success_count"], row["failure_count"]) for row in alice.get("/jobs/").body["results"]}
    assert listed == {"a": (2, 2), "b": (0, 1)}
    shown = alice.get("/jobs/a/").body
    assert (shown["success_count"], shown["failure_count"]) == (2, 2)


def queries_of(alice: Caller, path: str) -> tuple[int, int]:
    """How many queries a list costs, and how many rows it has."""
    with CaptureQueriesContext(connection) as captured:
        rows = alice.get(path).body["results"]
        return len(captured), len(rows)


@pytest.mark.parametrize("path", ["/jobs/", "/runs/", "/results/", "/jobs/j0/results/", "/jobs/j0/runners/"])
def test_a_hundred_rows_cost_as_many_queries_as_one(alice: Caller, path: str) -> None:
    def make(number: int) -> None:
        runnable = make_job(alice.application, f"j{number}", run_at=LATER).runnable
        for each in (runnable, first or runnable):
            make_attempt(make_run(each, State.RETRYING, number=number), 1, ok=False)

    first = None
    make(0)
    first = Runnable.objects.get()
    alice.get(path)
    one = queries_of(alice, path)
    for number in range(1, 100):
        make(number)
    hundred = queries_of(alice, path)
    assert hundred[1] >= 100 > one[1] > 0
    assert hundred[0] == one[0] <= 5
