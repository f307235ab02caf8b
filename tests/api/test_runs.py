"""Runs by REST: the list and its filters, one run with its story, and aborting."""

from typing import Any

import pytest

from badgerjobs.runs.models import FINAL, Cause, LogLine, Run, State
from tests.callers import PROBLEM, Caller
from tests.factories import NOW, make_attempt, make_job, make_run


@pytest.fixture
def history(alice: Caller, charlie: Caller) -> Caller:
    """Alice's runs 1 to 4 of two jobs; Charlie's run must not be seen."""
    a, b = (make_job(alice.application, tag).runnable for tag in "ab")
    make_run(a, State.SUCCEEDED, number=1, cause=Cause.SCHEDULE)
    make_run(a, State.FAILED, number=2)
    make_run(b, State.QUEUED, number=3)
    make_run(b, State.RUNNING, number=4, cause=Cause.CODE)
    make_run(make_job(charlie.application, "a").runnable, State.SUCCEEDED, number=9)
    return alice


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [4, 3, 2, 1]),
        ("state=failed", [2]),
        ("state=failed,queued", [3, 2]),
        ("state=aborted", []),
        ("cause=schedule", [1]),
        ("cause=schedule,code", [4, 1]),
        ("kind=http", [4, 3, 2, 1]),
        ("kind=other", []),
        ("name=b", [4, 3]),
        ("name=a&state=succeeded", [1]),
        ("since=2000-01-01T00:00:00Z", [4, 3, 2, 1]),
        ("since=2999-01-01T00:00:00Z", []),
        ("until=2000-01-01T00:00:00Z", []),
        ("limit=2", [4, 3]),
    ],
)
def test_runs_are_listed_newest_first_and_narrowed(history: Caller, query: str, found: list[int]) -> None:
    assert [run["number"] for run in history.get(f"/runs/?{query}").body["results"]] == found


def test_a_run_is_shown_with_its_attempts_and_log_in_their_order(alice: Caller) -> None:
    run = make_run(make_job(alice.application, "t").runnable, State.FAILED, number=5, attempts=2, error="Bad Gateway")
    make_attempt(run, 2, ok=False, error_class="status", error="The endpoint answered 502.", result={"status": 502})
    make_attempt(run, 1, ok=False, error_class="dns", error="No address.")
    for level, message in [("warning", "first"), ("error", "second")]:
        LogLine.objects.create(
            run=run, application=alice.application, level=level, message=message, attempt=1, created_at=NOW
        )
    shown = alice.get(f"/runs/{run.pk}/").body
    assert (shown["id"], shown["name"], shown["state"], shown["error"]) == (str(run.pk), "t", "failed", "Bad Gateway")
    assert sorted(each["number"] for each in shown["attempts"]) == [1, 2]
    [last] = [each for each in shown["attempts"] if each["number"] == 2]
    assert last == {
        "number": 2,
        "started_at": "2026-03-02T12:00:00Z",
        "duration": 12,
        "ok": False,
        "error": {"class": "status", "message": "The endpoint answered 502."},
        "result": {"status": 502},
    }
    assert [line["message"] for line in shown["log"]] == ["first", "second"]


def test_one_run_costs_as_many_queries_however_long_its_story(alice: Caller, django_assert_num_queries: Any) -> None:
    run = make_run(make_job(alice.application, "t").runnable)
    for number in range(1, 20):
        make_attempt(run, number)
    alice.get("/")
    with django_assert_num_queries(4):  # the token, the run, its attempts, its log
        alice.get(f"/runs/{run.pk}/")


@pytest.mark.parametrize("state", [state for state in State if state not in FINAL])
def test_a_run_that_is_not_over_is_aborted_and_twice_changes_nothing(alice: Caller, state: State) -> None:
    run = make_run(make_job(alice.application, "t").runnable, state)
    first = alice.post(f"/runs/{run.pk}/abort/")
    assert (first.status, first.body["state"]) == (200, "aborted")
    assert first.body["finished_at"]
    again = alice.post(f"/runs/{run.pk}/abort/")
    assert (again.status, again.body) == (200, first.body)
    assert len(first.body["log"]) == 1


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.SKIPPED])
def test_a_run_that_is_over_is_not_aborted(alice: Caller, state: State) -> None:
    run = make_run(make_job(alice.application, "t").runnable, state)
    answer = alice.post(f"/runs/{run.pk}/abort/")
    assert (answer.status, answer.content_type) == (409, PROBLEM)
    assert state in answer.body["detail"]
    assert Run.objects.get().state == state


@pytest.mark.parametrize("pk", ["0", "nothing", "00000000-0000-0000-0000-000000000000"])
def test_a_run_that_is_not_there_is_not_found(alice: Caller, pk: str) -> None:
    for answer in (alice.get(f"/runs/{pk}/"), alice.post(f"/runs/{pk}/abort/")):
        assert (answer.status, answer.content_type) == (404, PROBLEM)
