"""Changing and deleting jobs: what moves the plan and what does not, and what becomes of the runs."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from badgerjobs.runs.models import Attempt, LogLine, Run, Runnable, State
from jobs.models import Job
from tests.callers import Caller
from tests.factories import NOW, make_attempt, make_run

GOOD: dict[str, Any] = {"tag": "t", "endpoint": "https://example.com/", "verb": "GET"}
# The same in every process of the tests: their names hold it.
AHEAD = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=30)


@pytest.fixture
def job(alice: Caller) -> Job:
    """A job that runs every hour from a month ahead, with a run in each state that is not over, and one that is."""
    alice.post("/jobs/", {**GOOD, "run_at": AHEAD.isoformat(), "run_every": "PT1H"})
    job = Job.objects.get()
    for state in (State.SCHEDULED, State.QUEUED, State.RETRYING, State.RUNNING, State.SUCCEEDED):
        make_run(job.runnable, state)
    return job


def states(job: Job) -> list[str]:
    return list(Run.objects.of(job.runnable_id).order_by("id").values_list("state", flat=True))


UNTOUCHED = ["scheduled", "queued", "retrying", "running", "succeeded"]
ABORTED = ["aborted", "aborted", "aborted", "running", "succeeded"]

UNPLANNED_CHANGES: list[dict[str, Any]] = [
    {"name": "other"},
    {"endpoint": "https://example.org/"},
    {"verb": "POST"},
    {"headers": {"X-A": "1"}},
    {"body": "x"},
    {"timeout": 5},
    {"retryable": False},
    {"retry_policy": "exponential", "retries": 7, "retry_step": 1, "retry_for": 3600},
    {"fail_statuses": "500-599", "retry_statuses": "503"},
    {"enabled": True},
    {"run_every": "PT1H"},
    {"run_at": AHEAD.isoformat()},
    {"cron": None, "preset": ""},
    {},
]


@pytest.mark.parametrize("change", UNPLANNED_CHANGES, ids=str)
def test_what_is_not_the_schedule_leaves_the_plan_alone(alice: Caller, job: Job, change: dict[str, Any]) -> None:
    before = alice.get("/jobs/t/").body
    after = alice.patch("/jobs/t/", change)
    assert after.status == 200
    assert after.body["next_run_at"] == before["next_run_at"]
    assert after.body["updated_at"] > before["updated_at"]
    changed = {name for name in before if before[name] != after.body[name]} - {"updated_at"}
    assert changed <= {*change, *(["retries"] if "retryable" in change else [])}
    assert states(job) == UNTOUCHED
    assert alice.get("/jobs/t/").body == after.body


PLANNED_CHANGES: list[dict[str, Any]] = [
    {"run_at": (AHEAD + timedelta(days=1)).isoformat()},
    {"run_at": None},
    {"run_every": "PT2H"},
    {"run_every": None, "cron": "0 8 * * *"},
    {"run_every": None, "preset": "daily"},
    {"run_every": None},
    {"time_zone": "Europe/Zurich"},
    {"enabled": False},
]


@pytest.mark.parametrize("change", PLANNED_CHANGES, ids=str)
def test_a_changed_schedule_aborts_what_waits_and_lets_finish_what_runs(
    alice: Caller, job: Job, change: dict[str, Any]
) -> None:
    assert alice.patch("/jobs/t/", change).status == 200
    assert states(job) == ABORTED
    lines = LogLine.objects.values_list("message", flat=True)
    assert list(lines) == ["The schedule was changed."] * 3


def test_a_changed_schedule_is_planned_anew(alice: Caller, job: Job) -> None:
    body = alice.patch("/jobs/t/", {"run_at": (AHEAD + timedelta(days=1)).isoformat()}).body
    assert Runnable.objects.get().next_run_at == AHEAD + timedelta(days=1)
    assert body["next_run_at"] == body["run_at"]


def test_what_is_switched_off_and_on_keeps_its_beginning(alice: Caller, job: Job) -> None:
    assert alice.patch("/jobs/t/", {"enabled": False}).body["next_run_at"] is None
    alice.patch("/jobs/t/", {"enabled": True})
    assert Runnable.objects.get().next_run_at == AHEAD


def test_another_repeat_must_take_the_place_of_the_one_there_is(alice: Caller, job: Job) -> None:
    answer = alice.patch("/jobs/t/", {"cron": "0 8 * * *"})
    assert (answer.status, set(answer.errors)) == (400, {"cron"})
    assert answer.errors["cron"] == [
        "It has a run_every already: send run_every null beside this, and cron takes its place."
    ]
    assert set(alice.patch("/jobs/t/", {"cron": "0 8 * * *", "preset": "daily"}).errors) >= {"cron", "preset"}
    assert alice.patch("/jobs/t/", {"cron": "0 8 * * *", "run_every": None}).status == 200
    assert states(job) == ABORTED


def test_a_tag_is_never_changed(alice: Caller, job: Job) -> None:
    answer = alice.patch("/jobs/t/", {"tag": "u"})
    assert (answer.status, "never changed" in answer.errors["tag"][0]) == (400, True)
    assert alice.patch("/jobs/t/", {"tag": "t", "name": "same tag"}).status == 200
    assert set(alice.put("/jobs/t/", {**GOOD, "tag": "u"}).errors) == {"tag"}


def test_a_put_resets_what_is_left_out(alice: Caller) -> None:
    full = {
        **GOOD,
        "name": "n",
        "enabled": False,
        "pause_reason": "r",
        "paused_until": AHEAD.isoformat(),
        "headers": {"X-A": "1"},
        "body": "b",
        "retryable": False,
        "timeout": 5,
        "run_at": AHEAD.isoformat(),
        "cron": "0 8 * * *",
        "time_zone": "Europe/Zurich",
        "end_at": (AHEAD + timedelta(days=30)).isoformat(),
        "max_runs": 5,
        "spread": "PT1H",
        "overlap": "allow",
        "catch_up": "all",
        "catch_up_within": "PT1H",
        "priority": 3,
    }
    assert alice.post("/jobs/", full).status == 201
    plain = alice.post("/jobs/", {**GOOD, "tag": "plain"}).body
    put = alice.put("/jobs/t/", {"endpoint": GOOD["endpoint"], "verb": "GET"})
    assert put.status == 200
    own = {"tag": "t", "name": "t", "created_at": None, "updated_at": None}
    assert {**put.body, **own} == {**plain, **own}
    assert Runnable.objects.get(name="t").retries == 3


@pytest.mark.parametrize(
    ("before", "put", "taken"),
    [
        ({"run_every": "PT1M", "overlap": "queue_all", "catch_up": "all"}, {"run_every": "PT1M"}, True),
        ({"run_every": "PT1M", "overlap": "queue_all", "catch_up": "all"}, {"cron": "* * * * *"}, True),
        ({"run_every": "PT1H", "spread": "PT1H"}, {"run_every": "PT1S"}, True),
        ({"run_every": "PT1H", "max_runs": 1}, {"run_at": AHEAD.isoformat()}, True),
        ({"run_every": "PT1H", "end_at": AHEAD.isoformat()}, {}, True),
        ({"run_every": "PT1M", "overlap": "queue_all"}, {"run_every": "PT1M", "catch_up": "all"}, False),
        ({"run_every": "PT1H", "catch_up": "all", "overlap": "allow"}, {"run_every": "PT1S", "spread": "PT1H"}, False),
    ],
    ids=lambda given: "-".join(given) if isinstance(given, dict) else str(given),
)
def test_a_put_is_judged_by_what_it_stores(
    alice: Caller, before: dict[str, Any], put: dict[str, Any], taken: bool
) -> None:
    assert alice.post("/jobs/", {**GOOD, **before}).status == 201
    fresh = alice.post("/jobs/", {**GOOD, **put, "tag": "fresh"})
    answer = alice.put("/jobs/t/", {**GOOD, **put})
    assert (answer.status, fresh.status) == ((200, 201) if taken else (400, 400))
    its = ("end_at", "max_runs", "spread", "overlap", "catch_up", "catch_up_within", "priority")
    assert [answer.body.get(name) for name in its] == [fresh.body.get(name) for name in its]


def test_a_put_of_a_job_that_has_ended_plans_it_anew(alice: Caller) -> None:
    alice.post("/jobs/", {**GOOD, "run_every": "PT1M", "end_at": AHEAD.isoformat(), "max_runs": 2})
    over = timezone.now() - timedelta(minutes=1)
    Runnable.objects.update(end_at=over, scheduled_runs=2, next_run_at=None)
    answer = alice.put("/jobs/t/", {**GOOD, "run_every": "PT5M"})
    assert answer.status == 200
    assert answer.body["next_run_at"]


def test_a_put_makes_what_is_not_there_and_changes_what_is(alice: Caller) -> None:
    statuses = [alice.put("/jobs/t/", {**GOOD, "body": body}).status for body in ("a", "b", "b")]
    assert statuses == [201, 200, 200]
    assert [job.body for job in Job.objects.all()] == ["b"]
    assert Runnable.objects.count() == 1


def test_a_put_of_the_same_schedule_leaves_the_plan_alone(alice: Caller, job: Job) -> None:
    assert alice.put("/jobs/t/", {**GOOD, "run_at": AHEAD.isoformat(), "run_every": "PT1H"}).status == 200
    assert states(job) == UNTOUCHED
    assert Runnable.objects.get().next_run_at == AHEAD


HEADERS = {"Authorization": "Bearer secret", "X-Api-Key": "key", "X-Team": "shop"}
MASKED = {"Authorization": "********", "X-Api-Key": "********", "X-Team": "shop"}


def test_headers_that_carry_credentials_read_as_stars_everywhere(alice: Caller) -> None:
    alice.post("/jobs/", {**GOOD, "headers": HEADERS})
    for answer in (alice.get("/jobs/t/"), alice.get("/jobs/"), alice.patch("/jobs/t/", {}), alice.delete("/jobs/t/")):
        assert "secret" not in str(answer.body)
        assert "'key'" not in str(answer.body)


@pytest.mark.parametrize("method", ["patch", "put"])
def test_stars_that_come_back_keep_the_stored_value(alice: Caller, method: str) -> None:
    assert alice.post("/jobs/", {**GOOD, "headers": HEADERS}).body["headers"] == MASKED
    send = getattr(alice, method)
    given = {"authorization": "********", "X-Api-Key": "new key", "X-Team": "********"}
    assert send("/jobs/t/", {**GOOD, "headers": given}).status == 200
    # A value of stars means itself where values are shown.
    assert Job.objects.get().headers == {**given, "authorization": "Bearer secret"}


def test_a_put_without_headers_has_none(alice: Caller) -> None:
    alice.post("/jobs/", {**GOOD, "headers": HEADERS})
    alice.put("/jobs/t/", GOOD)
    assert Job.objects.get().headers == {}
    assert alice.patch("/jobs/t/", {"headers": None}).body["headers"] == {}


def test_a_deleted_job_takes_its_runs_and_results_with_it(alice: Caller, job: Job) -> None:
    alice.put("/jobs/other/", {**GOOD, "tag": "other"})
    other = make_run(Runnable.objects.get(name="other"))
    for run in Run.objects.all():
        make_attempt(run)
        LogLine.objects.create(run=run, application=alice.application, level="info", message="m", created_at=NOW)
    assert alice.delete("/jobs/t/").status == 204
    assert alice.delete("/jobs/t/").status == 404
    assert list(Run.objects.all()) == [other]
    assert [row.run_id for row in (*Attempt.objects.all(), *LogLine.objects.all())] == [other.pk, other.pk]
    assert Runnable.objects.count() == 1
    assert alice.post("/jobs/", GOOD).body["success_count"] == 0
