"""What GraphQL shows of jobs, results and runners, and in how many statements."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs import last_attempts
from badgerjobs.runs.models import Attempt, State
from jobs.models import Job
from tests.callers import Caller
from tests.factories import NOW, make_application, make_attempt, make_job, make_run
from tests.graphql.asking import data, refused

pytestmark = pytest.mark.django_db

EVERYTHING = """{ jobs {
  name enabled endpoint verb headers body retryable runAt runEvery createdAt updatedAt lastRunAt nextRunAt
  successCount failureCount
  application { name token createdAt updatedAt jobsCount scheduledJobsCount }
  jobResults { status headers body runAt run duration createdAt updatedAt job { name } }
  runners { priority queue attempts recurring running runAt failedAt createdAt updatedAt job { name } }
} }"""


def kept(job: Job, number: int = 1, status: int | None = 200, body: str = "ok") -> Attempt:
    """A result of a run that is over."""
    ok = bool(status and status < 400)
    run = make_run(job.runnable, State.SUCCEEDED if ok else State.FAILED, number=number)
    result = {"status": status, "headers": {"x-a": "b"}, "body": body} if status else None
    return make_attempt(run, ok=ok, result=result)


def test_every_field_of_a_job_is_shown_as_repeater_shows_it(alice: Caller) -> None:
    job = make_job(alice.application, "first", run_every="PT1H", body="hello")
    kept(job, 1, 200)
    kept(job, 2, 503)
    kept(job, 3, None)
    make_run(job.runnable, State.RUNNING, number=4, priority=7)
    [shown] = data(alice, EVERYTHING)["jobs"]
    stamp = "2026-03-02T12:00:00.000Z"
    assert {name: shown[name] for name in ("name", "enabled", "endpoint", "verb", "body", "retryable")} == {
        "name": "first", "enabled": True, "endpoint": "https://example.com/", "verb": "POST", "body": "hello",
        "retryable": True,
    }  # fmt: skip
    assert (shown["runAt"], shown["runEvery"], shown["lastRunAt"]) == (None, "PT1H", None)
    assert shown["nextRunAt"].startswith("2026-03-02T1")
    assert (shown["successCount"], shown["failureCount"]) == (1, 2)
    assert shown["application"] == {
        "name": "shop", "token": alice.secret, "createdAt": shown["application"]["createdAt"],
        "updatedAt": shown["application"]["updatedAt"], "jobsCount": 1, "scheduledJobsCount": 1,
    }  # fmt: skip
    results = shown["jobResults"]
    assert [(each["run"], each["status"], each["body"]) for each in results] == [
        (3, None, None), (2, 503, "ok"), (1, 200, "ok"),
    ]  # fmt: skip
    assert json.loads(results[1]["headers"]) == {"x-a": "b"}
    assert (results[0]["headers"], results[0]["runAt"], results[0]["duration"]) == (None, stamp, 12)
    assert results[0]["job"] == {"name": "first"}
    running, planned = shown["runners"]
    assert (running["running"], running["priority"], running["queue"], running["recurring"]) == (True, 7, "io", True)
    assert (planned["running"], planned["runAt"], planned["failedAt"]) == (False, shown["nextRunAt"], None)


def test_credentials_read_as_stars(alice: Caller) -> None:
    make_job(alice.application, "first", headers={"Authorization": "Bearer secret", "X-Plain": "seen"})
    headers = json.loads(data(alice, "{ jobs { headers } }")["jobs"][0]["headers"])
    assert headers["X-Plain"] == "seen"
    assert "secret" not in headers["Authorization"]


def test_what_is_not_there_is_null_and_no_error(alice: Caller) -> None:
    assert data(alice, '{ job(name: "none") { name } }') == {"job": None}
    assert data(alice, "query Q($n: String!) { job(name: $n) { name } }", n="\0") == {"job": None}
    assert data(alice, "query Q($n: String!) { job(name: $n) { name } }", n="\ud800") == {"job": None}
    assert data(alice, '{ jobs { name } jobResults(jobName: "none") { run } }') == {"jobs": [], "jobResults": []}


def test_a_job_without_headers_body_or_plan_says_null(alice: Caller) -> None:
    make_job(alice.application, "plain", enabled=False, run_at=NOW)
    [shown] = data(alice, "{ jobs { enabled headers body runEvery nextRunAt } }")["jobs"]
    assert shown == {"enabled": False, "headers": None, "body": None, "runEvery": None, "nextRunAt": None}


def test_another_tenants_rows_are_not_there(alice: Caller, charlie: Caller) -> None:
    kept(make_job(alice.application, "first"))
    query = '{ jobs { name } job(name: "first") { name } jobResults { run } one: jobResults(jobName: "first") { run } }'
    assert data(charlie, query) == {"jobs": [], "job": None, "jobResults": [], "one": []}


def test_results_are_those_of_one_job_or_of_all(alice: Caller) -> None:
    first, second = (make_job(alice.application, tag) for tag in ("first", "second"))
    kept(first, 1)
    kept(second, 1)
    kept(first, 2)
    query = '{ jobResults { run job { name } } ofOne: jobResults(jobName: "first") { run job { name } } }'
    shown = data(alice, query)
    assert [(each["job"]["name"], each["run"]) for each in shown["jobResults"]] == [
        ("first", 2), ("second", 1), ("first", 1),
    ]  # fmt: skip
    assert [(each["job"]["name"], each["run"]) for each in shown["ofOne"]] == [("first", 2), ("first", 1)]


@pytest.mark.parametrize(
    ("arguments", "runs"),
    [
        ("", list(range(12, 2, -1))),
        ("(limit: 3)", [12, 11, 10]),
        ("(limit: 3, offset: 2)", [10, 9, 8]),
        ("(limit: 5, offset: 10)", [2, 1]),
    ],
)
def test_the_results_of_a_job_come_by_pages_newest_first(alice: Caller, arguments: str, runs: list[int]) -> None:
    job = make_job(alice.application, "first")
    for number in range(1, 13):
        kept(job, number, 200 if number % 3 else 500)
    [shown] = data(alice, f"{{ jobs {{ jobResults{arguments} {{ run }} }} }}")["jobs"]
    assert [each["run"] for each in shown["jobResults"]] == runs


def test_jobs_come_by_pages_newest_first_and_all_of_them_unless_a_page_is_asked_for(alice: Caller) -> None:
    for number in range(5):
        make_job(alice.application, f"job-{number}")
    shown = data(
        alice, "{ all: jobs { name } some: jobs(limit: 2, offset: 1) { name } rest: jobs(offset: 3) { name } }"
    )
    assert [each["name"] for each in shown["all"]] == [f"job-{number}" for number in (4, 3, 2, 1, 0)]
    assert [each["name"] for each in shown["some"]] == ["job-3", "job-2"]
    assert [each["name"] for each in shown["rest"]] == ["job-1", "job-0"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("{ jobs(limit: 0) { name } }", "limit: Give a whole number from 1 to 10,000."),
        ("{ jobs(offset: -1) { name } }", "offset: Give a whole number from 0 to 100,000."),
        ("{ jobResults(limit: 1001) { run } }", "limit: Give a whole number from 1 to 1,000."),
    ],
)
def test_a_page_that_cannot_be_is_refused_with_what_can(alice: Caller, query: str, said: str) -> None:
    assert refused(alice, query) == said


def test_runners_of_a_job_wait_run_or_are_planned_and_are_bounded(alice: Caller) -> None:
    job = make_job(alice.application, "first", run_every="PT1H", overlap="queue_all")
    make_run(job.runnable, State.SUCCEEDED, number=1)
    failing = make_run(job.runnable, State.RETRYING, number=2, attempts=1)
    make_attempt(failing, ok=False, created_at=NOW + timedelta(seconds=3))
    for number in range(3, 6):
        make_run(job.runnable, State.QUEUED, number=number, held=True)
    query = "{ jobs { runners { attempts failedAt } few: runners(limit: 2) { attempts } } }"
    [shown] = data(alice, query)["jobs"]
    assert [each["attempts"] for each in shown["runners"]] == [1, 0, 0, 0, 0]
    assert shown["runners"][0]["failedAt"] == "2026-03-02T12:00:03.000Z"
    assert len(shown["few"]) == 2


@pytest.fixture
def statements() -> Any:
    def count(caller: Caller, query: str) -> int:
        data(caller, query)  # what is remembered between requests is remembered now
        with CaptureQueriesContext(connection) as asked:
            data(caller, query)
        return len(asked)

    return count


def test_a_thousand_jobs_with_all_that_is_theirs_take_no_more_statements_than_one(
    alice: Caller, statements: Any
) -> None:
    one = make_job(alice.application, "one", run_every="PT1H")
    kept(one)
    make_run(one.runnable, State.RETRYING)
    few = statements(alice, EVERYTHING)
    for number in range(999):
        job = make_job(alice.application, f"job-{number}", run_every="PT1H")
        if number % 10 == 0:
            kept(job)
            make_run(job.runnable, State.RETRYING)
    assert statements(alice, EVERYTHING) == few <= 12
    assert len(data(alice, EVERYTHING)["jobs"]) == 1000


def test_going_round_and_round_asks_nothing_twice(alice: Caller, statements: Any) -> None:
    kept(make_job(alice.application, "one"))
    once = statements(alice, "{ jobs { jobResults { run } } }")
    again = "{ jobs { jobResults { job { jobResults { job { jobResults { run } } } } } } }"
    assert statements(alice, again) == once


def test_more_text_than_fits_is_refused_before_it_is_read(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_attempts, "MOST_BYTES", 1000)
    job = make_job(alice.application, "first")
    for number in range(3):
        kept(job, number, body="x" * 400)
    for query in (
        "{ jobs { jobResults { body } } }",
        '{ jobResults(jobName: "first") { body } }',
        "{ jobResults { body } }",
    ):
        assert "32 MB of texts" in refused(alice, query)
    assert len(data(alice, "{ jobResults { run } }")["jobResults"]) == 3
    assert len(data(alice, "{ jobResults(limit: 2) { body } }")["jobResults"]) == 2


def test_jobs_with_more_text_than_fits_are_refused(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("badgerjobs.web.graphql.MOST_TEXT_BYTES", 1000)
    for number in range(3):
        make_job(alice.application, f"job-{number}", body="x" * 400)
    assert "32 MB" in refused(alice, "{ jobs { body } }")
    assert len(data(alice, "{ jobs { name } }")["jobs"]) == 3
    assert len(data(alice, "{ jobs(limit: 2) { body } }")["jobs"]) == 2


def test_a_job_made_beside_shows_nothing_of_the_application_it_is_in(alice: Caller) -> None:
    beside = make_application("Other")
    beside.workspace = alice.application.workspace
    beside.name = "beside"
    beside.save()
    make_job(beside, "theirs")
    query = """mutation { createJob(applicationName: "Beside", name: "new", verb: "get", endpoint: "https://example.com/",
      runAt: "2030-01-01T00:00:00Z") { name application { name token jobsCount scheduledJobsCount } jobResults { run }
      runners { runAt } } }"""
    shown = data(alice, query)["createJob"]
    assert shown["application"] == {"name": "beside", "token": None, "jobsCount": None, "scheduledJobsCount": None}
    assert (shown["jobResults"], shown["runners"]) == ([], [])
