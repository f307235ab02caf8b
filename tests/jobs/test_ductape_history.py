"""Where jobs stand and stood, in Ductape's words: history, statistics, status and lists."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs.models import Runnable, State
from jobs.history import history_of
from jobs.models import Event, Job
from tests.callers import Caller
from tests.factories import NOW, make_attempt, make_job, make_run
from tests.jobs.ductape_jobs import only, with_one_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(alice: Caller) -> Caller:
    return with_one_job(alice)


# History and statistics.


def test_the_history_has_the_counts_and_the_last_executions_with_their_results(shop: Caller) -> None:
    runnable = only().runnable
    good = make_run(runnable, State.SUCCEEDED, number=1, started_at=NOW, finished_at=NOW + timedelta(milliseconds=1500))
    make_attempt(good, 1, ok=False, result={"status": 503})
    make_attempt(good, 2, result={"status": 200})
    make_run(runnable, State.SKIPPED)
    bad = make_run(runnable, State.FAILED, number=2, error="No answer.", started_at=NOW, finished_at=NOW)
    for number in range(3, 6):
        make_run(runnable, State.QUEUED, number=number)
    history = shop.get("/jobs/a-job/history/?limit=5").body
    counts = {"total_executions": 5, "successful_executions": 1, "failed_executions": 1, "tag": "a-job"}
    assert {name: history[name] for name in counts} == counts
    assert [one["number"] for one in history["executions"]] == [5, 4, 3, 2, 1]
    queued, failed, completed = history["executions"][2:]
    assert (queued["status"], queued["started_at"], queued["duration_ms"], queued["result"]) == (
        "queued",
        None,
        None,
        None,
    )
    assert (failed["status"], failed["error"], failed["run_id"]) == ("failed", "No answer.", str(bad.pk))
    expected = {"status": "completed", "duration_ms": 1500, "error": None, "result": {"status": 200}}
    assert {name: completed[name] for name in expected} == expected
    assert completed["completed_at"] == "2026-03-02T12:00:01.500000Z"


def test_the_history_takes_three_queries(shop: Caller, django_assert_num_queries: Any) -> None:
    job = Job.objects.select_related("application").get()
    for number in range(1, 4):
        make_attempt(make_run(job.runnable, State.SUCCEEDED, number=number))
    with django_assert_num_queries(3):
        assert len(history_of(job, limit=2)["executions"]) == 2


@pytest.mark.parametrize("limit", ["0", "101", "x"])
def test_a_limit_that_cannot_be_is_refused(shop: Caller, limit: str) -> None:
    assert shop.get(f"/jobs/a-job/history/?limit={limit}").errors.keys() == {"limit"}


@pytest.mark.parametrize("path", ["/jobs/a-job/history/?limit=100", "/jobs/statistics/", "/jobs/?status=failed"])
def test_what_is_counted_takes_as_many_queries_for_many_runs_as_for_one(
    shop: Caller, path: str, django_assert_max_num_queries: Any
) -> None:
    for number in range(1, 30):
        run = make_run(only().runnable, State.FAILED, number=number)
        make_attempt(run, ok=False)
    Runnable.objects.update(next_run_at=None)
    with django_assert_max_num_queries(8):
        assert shop.get(path).status == 200


def test_the_statistics_count_the_runs_of_the_jobs_that_match(shop: Caller, charlie: Caller) -> None:
    one, other = only(), make_job(shop.application, "other")
    made = {
        one: [(State.SUCCEEDED, 1), (State.SUCCEEDED, 3), (State.FAILED, 4), (State.RUNNING, 0), (State.SKIPPED, 0)],
        other: [(State.ABORTED, 0), (State.QUEUED, 0), (State.RETRYING, 1)],
        make_job(charlie.application): [(State.SUCCEEDED, 1)],
    }
    for job, runs in made.items():
        for state, attempts in runs:
            make_run(job.runnable, state, attempts=attempts)
    assert shop.get("/jobs/statistics/").body == {
        "jobs": 2, "total": 8, "scheduled": 2, "queued": 1, "running": 1, "completed": 2, "failed": 1, "cancelled": 1,
        "success_rate": 0.6667, "completed_first_try": 1, "completed_after_retry": 1, "avg_retry_count": 1.67,
    }  # fmt: skip
    narrowed = shop.get("/jobs/statistics/?search=other").body
    assert (narrowed["jobs"], narrowed["total"], narrowed["success_rate"], narrowed["avg_retry_count"]) == (
        1,
        3,
        None,
        None,
    )
    later = shop.get("/jobs/statistics/?since=2999-01-01T00:00:00Z").body
    assert (later["total"], later["scheduled"]) == (1, 1)
    assert shop.get("/jobs/statistics/?until=x").errors.keys() == {"until"}


# Where a job stands.


@pytest.mark.parametrize(
    ("status", "fields", "runs"),
    [
        ("scheduled", {"run_every": "PT1H"}, []),
        ("scheduled", {"run_every": "PT1H"}, [State.FAILED]),
        ("scheduled", {}, [State.RETRYING]),
        ("queued", {"run_every": "PT1H"}, [State.QUEUED]),
        ("running", {"run_every": "PT1H"}, [State.QUEUED, State.RUNNING]),
        ("completed", {}, [State.FAILED, State.SUCCEEDED, State.SKIPPED]),
        ("failed", {}, [State.SUCCEEDED, State.FAILED]),
        ("cancelled", {}, [State.SUCCEEDED, State.ABORTED]),
        ("paused", {"enabled": False}, [State.RUNNING]),
        ("idle", {}, []),
        ("idle", {}, [State.SKIPPED]),
    ],
)
def test_where_a_job_stands_is_shown_and_found_alike(
    alice: Caller, status: str, fields: dict[str, Any], runs: list[State]
) -> None:
    job = make_job(alice.application, **fields)
    for state in runs:
        make_run(job.runnable, state)
    assert alice.get("/jobs/a-job/").body["status"] == status
    found = alice.get(f"/jobs/?status={status}").body["results"]
    assert [(one["tag"], one["status"]) for one in found] == [("a-job", status)]
    others = "scheduled,queued,running,completed,failed,cancelled,paused,idle".replace(status, "").strip(",")
    assert alice.get(f"/jobs/?status={others.replace(',,', ',')}").body["results"] == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("event_type=action", ["call", "put"]),
        ("event_type=notification", ["mail"]),
        ("event_type=FUNCTION", []),
        ("event_type=ACTION,NOTIFICATION", ["call", "mail", "put"]),
        ("event_tag=greet", ["mail"]),
        ("event_tag=greet,put-it", ["mail", "put"]),
        ("event_tag=nope", []),
        ("status=idle&event_type=action", ["call", "put"]),
        ("status=scheduled", []),
    ],
)
def test_a_list_is_narrowed_by_events(alice: Caller, query: str, found: list[str]) -> None:
    for tag, type_name in (("greet", "NOTIFICATION"), ("put-it", "ACTION")):
        Event.objects.create(application=alice.application, tag=tag, name=tag, type=type_name)
    for tag, event in (("call", None), ("mail", "greet"), ("put", "put-it")):
        given: dict[str, Any] = {"endpoint": "", "verb": "", "event": Event.objects.get(tag=event)} if event else {}
        make_job(alice.application, tag, **given)
    assert sorted(job["tag"] for job in alice.get(f"/jobs/?{query}").body["results"]) == found


@pytest.mark.parametrize("query", ["status=gone", "event_type=party"])
def test_a_filter_that_cannot_be_is_refused(alice: Caller, query: str) -> None:
    assert alice.get(f"/jobs/?{query}").status == 400
