"""Lists of jobs, and what is counted for each: filters, search, and as many queries for a hundred as for one."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from badgerjobs.runs.models import Runnable, State
from jobs.models import Job
from jobs.querysets import INPUT_IN_LISTS
from tests.callers import Caller
from tests.clients import browser_in
from tests.factories import make_attempt, make_event, make_job, make_run
from tests.graphql.asking import ask

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


LISTED = 64 * 1024


@pytest.mark.parametrize(
    ("body", "shown", "is_cut"),
    [
        ("", "", False),
        ("x" * LISTED, "x" * LISTED, False),
        ("x" * (LISTED + 1), "x" * LISTED, True),
        ("é" * (LISTED // 2), "é" * (LISTED // 2), False),
        ("x" + "é" * (LISTED // 2), "x" + "é" * (LISTED // 2 - 1), True),
        ("🦡" * 250_000, "🦡" * (LISTED // 4), True),
    ],
    ids=["empty", "just", "one more", "just in bytes", "half a letter", "a megabyte"],
)
def test_a_list_shows_the_beginning_of_a_long_body_and_the_job_itself_all(
    alice: Caller, body: str, shown: str, is_cut: bool
) -> None:
    make_job(alice.application, "t", body=body)
    [row] = alice.get("/jobs/").body["results"]
    whole = alice.get("/jobs/t/").body
    assert (row["body"] == shown, row["body_truncated"]) == (True, is_cut)
    assert (whole["body"] == body, whole["body_truncated"]) == (True, False)
    assert row.keys() == whole.keys()


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_body_that_a_list_cut_does_not_take_the_place_of_the_whole(alice: Caller, method: str) -> None:
    make_job(alice.application, "t", body="x" * 100_000)
    [row] = alice.get("/jobs/").body["results"]
    answer = getattr(alice, method)("/jobs/t/", {**row, "timeout": 5})
    assert (answer.status, set(answer.errors)) == (400, {"body"})
    assert len(Job.objects.get().body) == 100_000
    assert alice.patch("/jobs/t/", {"timeout": 5, "body_truncated": True}).status == 200
    assert getattr(alice, method)("/jobs/t/", alice.get("/jobs/t/").body).status == 200
    assert len(Job.objects.get().body) == 100_000


def test_the_rest_of_a_long_body_stays_in_the_database(alice: Caller) -> None:
    make_job(alice.application, "t", body="x" * 1_000_000)
    with CaptureQueriesContext(connection) as captured:
        assert alice.get("/jobs/").body["results"]
    asked = " ".join(query["sql"] for query in captured)
    assert asked.count('"body"') == asked.count('LEFT("jobs_job"."body", 65537)') == 1


# What JSON as text has besides the letters of a list with one text: brackets and quotes.
AROUND = 4


@pytest.mark.parametrize(
    ("value", "is_cut"),
    [
        (None, False),
        ({"a": ["é"]}, False),
        (["x" * (INPUT_IN_LISTS - AROUND)], False),
        (["x" * (INPUT_IN_LISTS - AROUND + 1)], True),
        ([[]] * 100_000, True),
    ],
    ids=["none", "short", "just", "one more", "many"],
)
def test_a_list_leaves_a_long_input_out_and_the_job_itself_has_it(alice: Caller, value: Any, is_cut: bool) -> None:
    make_job(alice.application, "t", event=make_event(alice.application), endpoint="", verb="", input=value)
    [row] = alice.get("/jobs/").body["results"]
    whole = alice.get("/jobs/t/").body
    assert (row["input"], row["input_truncated"]) == (None if is_cut else value, is_cut)
    assert (whole["input"] == value, whole["input_truncated"]) == (True, False)
    assert row.keys() == whole.keys()


@pytest.mark.parametrize("method", ["put", "patch"])
def test_an_input_that_a_list_left_out_is_not_taken_for_none(alice: Caller, method: str) -> None:
    value = ["x" * 100_000]
    make_job(alice.application, "t", event=make_event(alice.application), endpoint="", verb="", input=value)
    [row] = alice.get("/jobs/").body["results"]
    answer = getattr(alice, method)("/jobs/t/", {**row, "timeout": 5})
    assert (answer.status, set(answer.errors)) == (400, {"input"})
    assert Job.objects.get().input == value
    assert alice.patch("/jobs/t/", {"timeout": 5, "input_truncated": True}).status == 200
    assert getattr(alice, method)("/jobs/t/", alice.get("/jobs/t/").body).status == 200


def reads_inputs(asked: CaptureQueriesContext) -> list[str]:
    """The statements that bring inputs along, whole."""
    short = f'LEFT(("jobs_job"."input")::text, {INPUT_IN_LISTS + 1})'
    return [query["sql"] for query in asked if '"jobs_job"."input"' in query["sql"].replace(short, "")]


@pytest.mark.parametrize("where", ["rest", "graphql", "panel", "event"])
def test_the_inputs_of_a_list_stay_in_the_database(alice: Caller, where: str) -> None:
    event = make_event(alice.application)
    make_job(alice.application, "t", event=event, endpoint="", verb="", input=["x" * 100_000])
    browser, slug = browser_in(alice.application), alice.application.slug
    look: Any = {
        "rest": lambda: alice.get("/jobs/").status,
        "graphql": lambda: ask(alice, "{ jobs { name body headers runners { runAt } } }").status,
        "panel": lambda: browser.get(reverse("jobs:list", args=[slug])).status_code,
        "event": lambda: browser.get(reverse("jobs:event", args=[slug, "an-event"])).status_code,
    }[where]
    with CaptureQueriesContext(connection) as asked:
        assert look() == 200
    assert any('"jobs_job"' in query["sql"] for query in asked)
    many = [sql for sql in reads_inputs(asked) if not sql.endswith(" LIMIT 1")]
    assert many == [], "an event's page begins a sample with the input of one job"


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
