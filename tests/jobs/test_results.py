"""Running by hand, and what is shown of it: results, runners, counts of the application."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from badgerjobs.runs.models import Cause, Run, State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.signing import rotate_key
from jobs.models import Job
from tests.callers import Caller
from tests.factories import NOW, make_attempt, make_job, make_run

ANSWER = {"status": 200, "headers": {"content-type": "text/plain"}, "body": "ok", "body_truncated": False}


def test_a_job_is_run_by_hand_beside_its_schedule(alice: Caller) -> None:
    job = make_job(alice.application, "t", now=timezone.now(), run_every="PT1H", enabled=False)
    answer = alice.post("/jobs/t/run/")
    assert answer.status == 202
    run = Run.objects.get()
    assert answer.body["id"] == str(run.pk)
    shown = {name: answer.body[name] for name in ("name", "kind", "state", "cause", "number", "occurrence")}
    assert shown == {
        "name": "t", "kind": "http", "state": "queued", "cause": "manual", "number": 1, "occurrence": None
    }  # fmt: skip
    assert alice.post("/jobs/t/run/").body["number"] == 2
    job.runnable.refresh_from_db()
    assert (job.runnable.enabled, job.runnable.next_run_at) == (False, None)
    assert job.runnable.last_run_at


def test_a_job_that_is_not_there_is_not_run(alice: Caller) -> None:
    assert alice.post("/jobs/nothing/run/").status == 404


def test_a_result_shows_an_answer(alice: Caller) -> None:
    run = make_run(make_job(alice.application, "t").runnable, State.SUCCEEDED, number=7)
    make_attempt(run, 2, result={**ANSWER, "body_is_base64": False}, duration_ms=34)
    [shown] = alice.get("/jobs/t/results/").body["results"]
    assert shown == {
        "job": "t",
        "run_id": str(run.pk),
        "run": 7,
        "attempt": 2,
        "run_at": "2026-03-02T12:00:00Z",
        "duration": 34,
        "ok": True,
        "status": 200,
        "headers": {"content-type": "text/plain"},
        "body": "ok",
        "body_is_base64": False,
        "body_truncated": False,
        "result": None,
        "error": None,
        "created_at": "2026-03-02T12:00:00Z",
    }


def test_a_result_without_an_answer_says_why(alice: Caller) -> None:
    run = make_run(make_job(alice.application, "t").runnable)
    make_attempt(run, 1, ok=False, error_class="dns", error="example.com has no address.")
    [shown] = alice.get("/results/").body["results"]
    assert (shown["status"], shown["headers"], shown["body"]) == (None, None, None)
    assert (shown["body_is_base64"], shown["body_truncated"]) == (False, False)
    assert shown["error"] == {"class": "dns", "message": "example.com has no address."}


@pytest.fixture
def history(alice: Caller, charlie: Caller) -> Caller:
    """Alice's results: of a, good then bad; of b, good. Charlie's: one that must not be seen."""
    a, b = (make_run(make_job(alice.application, tag).runnable) for tag in "ab")
    make_attempt(a, 1, ok=True)
    make_attempt(a, 2, ok=False)
    make_attempt(b, 1, ok=True)
    make_attempt(make_run(make_job(charlie.application, "a").runnable), 1)
    return alice


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/results/", [("b", 1), ("a", 2), ("a", 1)]),
        ("/results/?job=a", [("a", 2), ("a", 1)]),
        ("/results/?job=nothing", []),
        ("/results/?ok=true", [("b", 1), ("a", 1)]),
        ("/results/?ok=false&job=b", []),
        ("/jobs/a/results/", [("a", 2), ("a", 1)]),
        ("/jobs/a/results/?ok=false", [("a", 2)]),
        ("/results/?since=2000-01-01", [("b", 1), ("a", 2), ("a", 1)]),
        ("/results/?until=2000-01-01", []),
        ("/results/?since=2999-01-01", []),
    ],
)
def test_results_are_listed_newest_first_and_narrowed(history: Caller, path: str, found: list[Any]) -> None:
    assert [(row["job"], row["attempt"]) for row in history.get(path).body["results"]] == found


def test_results_between_two_times_are_those_recorded_then(alice: Caller) -> None:
    run = make_run(make_job(alice.application, "t").runnable)
    make_attempt(run, 1)
    between = (timezone.now() + timedelta(milliseconds=2)).isoformat().replace("+00:00", "Z")
    assert [row["attempt"] for row in alice.get(f"/results/?until={between}").body["results"]] == [1]
    assert alice.get(f"/results/?since={between}").body["results"] == []


def test_runners_are_what_waits_or_runs_and_what_is_planned(alice: Caller) -> None:
    ahead = timezone.now() + timedelta(days=1)
    job = make_job(alice.application, "t", now=timezone.now(), run_at=ahead, run_every="PT1H")
    waiting = make_run(job.runnable, State.RETRYING, attempts=1)
    make_attempt(waiting, 1, ok=False)
    running = make_run(job.runnable, State.RUNNING, started_at=NOW, priority=10)
    make_run(job.runnable, State.SUCCEEDED)
    shown = alice.get("/jobs/t/runners/").body["results"]
    assert [(row["run_id"], row["state"], row["running"], row["attempts"]) for row in shown] == [
        (str(waiting.pk), "retrying", False, 1),
        (str(running.pk), "running", True, 0),
        (None, "scheduled", False, 0),
    ]
    assert [(row["priority"], row["queue"], row["recurring"]) for row in shown] == [
        (50, "io", True),
        (10, "io", True),
        (50, "io", True),
    ]
    assert [row["failed_at"] for row in shown] == ["2026-03-02T12:00:00Z", None, None]
    assert shown[2]["run_at"] == ahead.isoformat().replace("+00:00", "Z")


def test_what_is_not_planned_and_does_not_run_has_no_runners(alice: Caller) -> None:
    make_job(alice.application, "t")
    assert alice.get("/jobs/t/runners/").body == {"results": [], "next": None, "previous": None}


def test_an_application_counts_its_jobs_and_those_that_are_planned(alice: Caller, charlie: Caller) -> None:
    now = timezone.now()
    make_job(alice.application, "a", run_every="PT1H", now=now)
    make_job(alice.application, "b", run_every="PT1H", now=now, enabled=False)
    make_job(alice.application, "c")
    make_job(charlie.application, "d", run_every="PT1H", now=now)
    shown = alice.get("/application/").body
    assert (shown["name"], shown["workspace"]) == ("shop", "Alice's")
    assert (shown["jobs_count"], shown["scheduled_jobs_count"]) == (3, 1)
    assert charlie.get("/application/").body["jobs_count"] == 1


def test_the_signing_key_is_shown_to_who_may_write_and_kept_nowhere(alice: Caller) -> None:
    answer = alice.get("/application/signing-key/")
    key = alice.application.signing_key
    assert answer.body == {"signing_key": key, "previous_signing_key": None, "previous_key_until": None}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("left", "signs"), [(timedelta(hours=1), True), (timedelta(0), False)], ids=["during", "after"]
)
def test_while_the_key_is_rotated_both_are_shown(left: timedelta, signs: bool, alice: Caller) -> None:
    old, until = alice.application.signing_key, timezone.now() + left
    rotate_key(application=alice.application, overlap=timedelta(hours=1), by=OPERATOR, now=until - timedelta(hours=1))
    body = alice.get("/application/signing-key/").body
    assert body["signing_key"] not in {old, body["previous_signing_key"]}
    assert (body["previous_signing_key"], bool(body["previous_key_until"])) == ((old, True) if signs else (None, False))


def test_a_run_of_a_deleted_job_is_gone_with_it(alice: Caller) -> None:
    make_job(alice.application, "t")
    run = alice.post("/jobs/t/run/").body
    assert run["cause"] == Cause.MANUAL
    alice.delete("/jobs/t/")
    assert alice.get(f"/runs/{run['id']}/").status == 404
    assert not Job.objects.exists()


@pytest.mark.parametrize("path", ["/results/", "/jobs/a/results/"])
def test_a_page_of_results_holds_a_hundred_bodies_at_most(history: Caller, path: str) -> None:
    assert history.get(f"{path}?limit=100").status == 200
    assert history.get(f"{path}?limit=101").errors["limit"]
