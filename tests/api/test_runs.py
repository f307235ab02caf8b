"""Runs by REST: the list and its filters, one run with its story, and aborting."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs.models import FINAL, Cause, LogLine, Run, SkipReason, State
from tests.callers import PROBLEM, Caller
from tests.factories import NOW, make_attempt, make_background_run, make_job, make_run


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
        ("kind=notice", []),
        ("kind=notice,http", [4, 3, 2, 1]),
        ("since=2000-01-01T00:00:00Z&until=2000-01-01T00:00:00Z", []),
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


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("error_class=timeout", [5, 3, 1]),
        ("error_class=timeout,%20status", [5, 4, 3, 2, 1]),
        ("error_class=timeout&state=failed", [1]),
        ("error_class=dns", []),
        ("error_class=", []),
        ("skip_reason=missed", [0]),
        ("skip_reason=overlap,missed", [0, 0]),
        ("skip_reason=paused", []),
        ("state=skipped", [0, 0]),
    ],
)
def test_runs_are_narrowed_by_what_was_wrong_and_by_why_they_were_not_run(
    alice: Caller, query: str, found: list[int]
) -> None:
    runnable = make_job(alice.application).runnable
    make_run(runnable, State.FAILED, number=1, error_class="timeout")
    make_run(runnable, State.FAILED, number=2, error_class="status")
    make_run(runnable, State.RETRYING, number=3, error_class="timeout")
    make_run(runnable, State.ABORTED, number=4, error_class="status")
    make_run(runnable, State.QUEUED, number=5, error_class="timeout", held=True)
    make_run(runnable, State.SUCCEEDED, number=6)
    for reason in ("missed", "overlap"):
        make_run(runnable, State.SKIPPED, skip_reason=reason, skipped_count=2)
    assert [run["number"] for run in alice.get(f"/runs/?{query}").body["results"]] == found


def test_a_reason_that_is_none_is_refused_with_those_that_there_are(alice: Caller) -> None:
    answer = alice.get("/runs/?skip_reason=rain")
    assert (answer.status, answer.errors["skip_reason"]) == (400, ["“rain” is none of overlap, missed, paused."])


def test_what_was_skipped_says_which_occurrences_and_why(alice: Caller) -> None:
    runnable = make_job(alice.application).runnable
    make_run(
        runnable,
        State.SKIPPED,
        cause=Cause.SCHEDULE,
        occurrence=NOW,
        skipped_until=NOW + timedelta(hours=2),
        skipped_count=3,
        skip_reason=SkipReason.OVERLAP,
    )
    make_run(runnable, State.QUEUED, number=7, held=True)
    waits, skipped = alice.get("/runs/").body["results"]
    assert (skipped["occurrence"], skipped["skipped_until"]) == ("2026-03-02T12:00:00Z", "2026-03-02T14:00:00Z")
    assert (skipped["skipped_count"], skipped["skip_reason"], skipped["number"]) == (3, "overlap", 0)
    assert (waits["held"], skipped["held"]) == (True, False)
    assert [waits[name] for name in ("skip_reason", "skipped_until", "skipped_count", "error_class")] == [None] * 4


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


def test_runs_of_background_tasks_have_their_names(alice: Caller) -> None:
    make_run(make_job(alice.application, "a-job").runnable)
    run = make_background_run(alice.application, State.SUCCEEDED, name="All articles").run
    assert {one["name"] for one in alice.get("/runs/").body["results"]} == {"a-job", "All articles"}
    assert [one["name"] for one in alice.get("/runs/?kind=background").body["results"]] == ["All articles"]
    assert alice.get(f"/runs/{run.pk}/").body["name"] == "All articles"


def test_names_cost_the_same_for_one_and_for_many(alice: Caller, django_assert_num_queries: Any) -> None:
    make_background_run(alice.application, State.SUCCEEDED)
    alice.get("/runs/")
    with CaptureQueriesContext(connection) as one:
        alice.get("/runs/")
    for number in range(9):
        make_background_run(alice.application, State.SUCCEEDED, name=str(number))
    with django_assert_num_queries(len(one)):
        alice.get("/runs/")


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
