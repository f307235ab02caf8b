"""The verbs that Ductape's users know, by REST: with one job and with many."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from badgerjobs.runs import many as runs_many
from badgerjobs.runs.models import Run, Runnable, State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import AuditEntry
from jobs import verbs_api
from jobs.cancelling import cancel_jobs
from jobs.models import Job
from jobs.pauses import pause_of
from tests.callers import Caller
from tests.factories import NOW, make_job, make_run
from tests.jobs.ductape_jobs import only, with_one_job

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
LATER = datetime(2029, 1, 1, tzinfo=UTC)


@pytest.fixture
def shop(alice: Caller) -> Caller:
    return with_one_job(alice)


def going(job: Job) -> tuple[Run, Run]:
    return make_run(job.runnable, State.QUEUED, held=True), make_run(job.runnable, State.RUNNING)


def states(*runs: Run) -> list[str]:
    return [Run.objects.get(pk=run.pk).state for run in runs]


# Pause and resume.


def test_a_job_is_paused_with_a_reason_until_a_time_and_resumed(shop: Caller) -> None:
    waiting, running = going(only())
    until = (timezone.now() + HOUR).isoformat()
    paused = shop.post("/jobs/a-job/pause/", {"reason": "They move.", "until": until})
    assert paused.status == 200, paused.body
    assert (paused.body["status"], paused.body["pause_reason"]) == ("paused", "They move.")
    assert datetime.fromisoformat(paused.body["paused_until"]) == datetime.fromisoformat(until)
    assert states(waiting, running) == ["aborted", "running"]

    again = shop.post("/jobs/a-job/pause/", {"reason": "Still."}).body
    assert (again["pause_reason"], again["paused_until"]) == ("Still.", None)
    running.delete()
    resumed = shop.post("/jobs/a-job/resume/").body
    assert (resumed["status"], resumed["enabled"], resumed["pause_reason"]) == ("scheduled", True, None)
    assert shop.post("/jobs/a-job/resume/").status == 200
    log = list(AuditEntry.objects.filter(action__startswith="job.").order_by("id").values_list("action", flat=True))
    assert log == ["job.create", "job.pause", "job.update", "job.resume"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"until": "2020-01-01T00:00:00Z"}, "until"),
        ({"until": "2999-01-01T00:00:00Z"}, "until"),
        ({"reason": "x" * 301}, "reason"),
        ({"why": "x"}, "why"),
    ],
    ids=["past", "far", "long", "unknown"],
)
def test_a_pause_that_cannot_be_is_refused(shop: Caller, said: dict[str, str], field: str) -> None:
    assert list(shop.post("/jobs/a-job/pause/", said).errors) == [field]
    assert only().runnable.enabled


# Cancel.


def test_a_cancelled_job_plans_nothing_and_what_waits_or_runs_is_aborted(shop: Caller) -> None:
    waiting, running = going(only())
    cancelled = shop.post("/jobs/a-job/cancel/", {"reason": "Campaign ended early."})
    assert cancelled.status == 200, cancelled.body
    read = cancelled.body
    assert (read["status"], read["next_run_at"], read["enabled"]) == ("cancelled", None, False)
    assert read["pause_reason"] == "Campaign ended early."
    assert states(waiting, running) == ["aborted", "aborted"]
    assert Run.objects.get(pk=running.pk).error == "Cancelled: Campaign ended early."
    assert shop.post("/jobs/a-job/cancel/").body["updated_at"] == read["updated_at"]
    assert AuditEntry.objects.filter(action="job.cancel").get().changes == {"reason": [None, "Campaign ended early."]}


def test_a_paused_job_that_is_cancelled_does_not_go_on_when_its_pause_would_end(shop: Caller) -> None:
    until = timezone.now() + HOUR
    shop.post("/jobs/a-job/pause/", {"until": until.isoformat()})
    read = shop.post("/jobs/a-job/cancel/").body
    assert (read["status"], read["paused_until"]) == ("cancelled", None)


@pytest.mark.parametrize("way", ["resume", "patch", "reschedule"])
def test_what_was_cancelled_can_be_brought_back_and_a_later_pause_is_only_a_pause(shop: Caller, way: str) -> None:
    shop.post("/jobs/a-job/cancel/")
    back = {
        "resume": lambda: shop.post("/jobs/a-job/resume/"),
        "patch": lambda: shop.patch("/jobs/a-job/", {"enabled": True}),
        "reschedule": lambda: shop.post("/jobs/a-job/reschedule/", {"every": 60_000}),
    }[way]()
    assert (back.status, back.body["status"]) == (200, "scheduled")
    assert back.body["next_run_at"]
    assert shop.post("/jobs/a-job/pause/").body["status"] == "paused"


def test_a_cancel_that_had_to_wait_for_a_pause_ends_the_job_all_the_same(shop: Caller) -> None:
    now = timezone.now()
    runs_many.pause_all([only().runnable_id], now=now)
    ids = [only().pk]
    cancel_jobs(application=shop.application, ids=ids, by=OPERATOR, now=now - timedelta(milliseconds=5))
    assert shop.get("/jobs/a-job/").body["status"] == "cancelled"
    assert list(Job.objects.may_be_resumed_together()) == []
    pause = pause_of(only())
    assert pause
    assert (pause.is_cancelled, pause.by) == (True, OPERATOR.name), "who did it is found by that moment"


@pytest.mark.parametrize("verb", ["cancel", "delete"])
@pytest.mark.parametrize("words", ["\ud800", ["\ud800"]], ids=["a text", "a list"])
def test_half_a_letter_is_no_word(shop: Caller, verb: str, words: Any) -> None:
    answer = shop.send("POST", f"/jobs/{verb}/", json.dumps({"event_tag": words}).encode())
    assert (answer.status, set(answer.errors)) == (400, {"event_tag"})


def test_a_pause_of_what_is_cancelled_says_the_way_out(shop: Caller) -> None:
    shop.post("/jobs/a-job/cancel/")
    answer = shop.post("/jobs/a-job/pause/")
    assert (answer.status, "reschedule/" in answer.body["detail"]) == (409, True)


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, None], ids=str)
def test_there_is_nothing_to_cancel_of_what_is_over(alice: Caller, state: State | None) -> None:
    job = make_job(alice.application)
    if state:
        make_run(job.runnable, state)
    assert alice.post("/jobs/a-job/cancel/").status == 409
    assert only().cancelled_at is None


# Reschedule.


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ({"start_at": 1_900_000_000_000}, {"start_at": 1_900_000_000_000, "run_every": "PT1H"}),
        (
            {"start_at": "2031-01-01T00:00:00Z"},
            {"run_at": "2031-01-01T00:00:00Z", "next_run_at": "2031-01-01T00:00:00Z"},
        ),
        ({"every": 7_200_000}, {"intervals": 7_200_000, "run_every": "PT2H"}),
        ({"every": 5000, "start_at": 1_900_000_000_000}, {"intervals": 5000, "start_at": 1_900_000_000_000}),
        (
            {"cron": "0 10 * * *", "tz": "America/New_York"},
            {"cron": "0 10 * * *", "time_zone": "America/New_York", "run_every": None, "intervals": None},
        ),
    ],
    ids=["a time", "iso", "every", "every from", "cron"],
)
def test_a_job_gets_another_time_and_its_runs_are_counted_anew(
    shop: Caller, said: dict[str, Any], read: dict[str, Any]
) -> None:
    shop.patch("/jobs/a-job/", {"executions": 5})
    Runnable.objects.update(scheduled_runs=5, next_run_at=None)
    answer = shop.post("/jobs/a-job/reschedule/", said)
    assert answer.status == 200, answer.body
    assert {name: answer.body[name] for name in read} == read
    assert (answer.body["status"], answer.body["executions"]) == ("scheduled", 5)
    assert only().runnable.scheduled_runs == 0


def test_a_job_that_has_made_its_runs_begins_again_by_the_same_interval_at_the_next_millisecond(
    shop: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.patch("/jobs/a-job/", {"executions": 5})
    Runnable.objects.update(scheduled_runs=5, next_run_at=None)
    monkeypatch.setattr(verbs_api, "database_now", lambda: LATER + timedelta(microseconds=1500))
    shop.post("/jobs/a-job/reschedule/", {"every": 3_600_000})
    assert only().runnable.next_run_at == LATER + timedelta(milliseconds=2)


def test_a_job_that_ran_once_runs_once_more_at_another_time(alice: Caller) -> None:
    make_run(make_job(alice.application, run_at=NOW).runnable, State.SUCCEEDED)
    Runnable.objects.update(next_run_at=None, scheduled_runs=1)
    assert alice.get("/jobs/a-job/").body["status"] == "completed"
    read = alice.post("/jobs/a-job/reschedule/", {"start_at": "2031-01-01T00:00:00Z"}).body
    assert (read["status"], read["next_run_at"]) == ("scheduled", "2031-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "start_at"),
        ({"start_at": 5}, "start_at"),
        ({"start_at": None}, "start_at"),
        ({"cron": "x"}, "cron"),
        ({"cron": "0 8 * * *", "tz": "Nowhere"}, "tz"),
        ({"tz": "UTC"}, "start_at"),
        ({"every": 5}, "every"),
        ({"every": 5000, "cron": "0 8 * * *"}, "every"),
        ({"every": 5000, "tz": "UTC"}, "tz"),
    ],
    ids=str,
)
def test_a_schedule_that_cannot_be_is_refused_by_the_name_it_was_given(
    shop: Caller, said: dict[str, Any], field: str
) -> None:
    answer = shop.post("/jobs/a-job/reschedule/", said)
    assert (answer.status, list(answer.errors)) == (400, [field]), answer.body


# Retry.


def test_the_last_run_that_failed_is_replayed_at_once_or_later(shop: Caller) -> None:
    make_run(only().runnable, State.FAILED, number=1)
    failed = make_run(only().runnable, State.FAILED, number=2)
    make_run(only().runnable, State.SUCCEEDED, number=3)
    retried = shop.post("/jobs/a-job/retry/", {"delay": 60_000})
    assert retried.status == 202, retried.body
    assert (retried.body["replay_of"], retried.body["state"]) == (str(failed.pk), "scheduled")
    later = Run.objects.get(pk=retried.body["id"])
    assert later.due_at - later.created_at == timedelta(minutes=1)

    answer = shop.post("/jobs/a-job/retry/")
    assert (answer.status, "Run 2" in answer.body["detail"]) == (409, True)
    Run.objects.filter(pk=retried.body["id"]).update(state=State.FAILED)
    now = shop.post("/jobs/a-job/retry/")
    assert (now.status, now.body["state"], now.body["replay_of"]) == (202, "queued", retried.body["id"])
    assert AuditEntry.objects.filter(action="run.replay").count() == 2


@pytest.mark.parametrize("delay", [-1, "soon", None, 30 * 86_400_000 + 1], ids=["less", "no number", "null", "more"])
def test_a_delay_that_cannot_be_is_refused(shop: Caller, delay: Any) -> None:
    assert "milliseconds" in shop.post("/jobs/a-job/retry/", {"delay": delay}).errors["delay"][0]


def test_there_is_nothing_to_retry_where_nothing_failed(shop: Caller) -> None:
    make_run(only().runnable, State.SUCCEEDED)
    assert shop.post("/jobs/a-job/retry/").status == 409


# Many.


@pytest.fixture
def many(alice: Caller, charlie: Caller) -> Caller:
    """Two that are planned, one that is over, one that is paused; Charlie has one that is planned."""
    wanted: dict[str, dict[str, Any]] = {"a": {}, "b": {}, "off": {"enabled": False}}
    for tag, fields in wanted.items():
        make_job(alice.application, tag, run_every="PT1H", **fields)
    make_run(make_job(alice.application, "over").runnable, State.SUCCEEDED)
    make_job(charlie.application, "a", run_every="PT1H")
    return alice


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ({"status": "scheduled"}, 2),
        ({"status": ["scheduled", "paused", "completed"]}, 3),
        ({"tags": ["a", "off", "over", "nope"]}, 2),
        ({"event_type": "ACTION"}, 3),
        ({"event_tag": "x"}, 0),
        ({"until": "2020-01-01T00:00:00Z"}, 0),
        ({"since": "2020-01-01T00:00:00Z", "tags": ["b"]}, 1),
    ],
    ids=str,
)
def test_those_that_match_are_cancelled_after_they_were_counted(many: Caller, said: dict[str, Any], count: int) -> None:
    dry = many.post("/jobs/cancel/", {**said, "dry_run": True})
    assert (dry.status, dry.body) == (200, {"count": count, "more": False})
    assert not Job.objects.filter(cancelled_at__isnull=False).exists()
    assert many.post("/jobs/cancel/", {**said, "reason": "Over."}).body["count"] == count
    assert len(many.get("/jobs/?status=cancelled").body["results"]) == count
    assert Job.objects.filter(cancelled_at__isnull=False).count() == count
    assert AuditEntry.objects.filter(action="job.cancel").count() == count
    assert many.post("/jobs/cancel/", said).body["count"] == 0


def test_those_that_match_are_deleted_after_they_were_counted(many: Caller) -> None:
    said = {"status": "completed,paused"}
    assert many.post("/jobs/delete/", {**said, "dry_run": True}).body["count"] == 2
    assert many.post("/jobs/delete/", said).body == {"count": 2, "more": False}
    assert sorted(Job.objects.values_list("tag", flat=True)) == ["a", "a", "b"]


@pytest.mark.parametrize("verb", ["cancel", "delete"])
@pytest.mark.parametrize("said", [{}, {"dry_run": False}], ids=["nothing", "a dry run"])
def test_nothing_said_is_not_everything(many: Caller, verb: str, said: dict[str, Any]) -> None:
    answer = many.post(f"/jobs/{verb}/", said)
    assert (answer.status, list(answer.errors)) == (400, ["tags"])
    assert Job.objects.count() == 5


def test_a_verb_that_is_sent_twice_with_a_key_is_done_once(shop: Caller) -> None:
    failed = make_run(only().runnable, State.FAILED)
    answers = [shop.post("/jobs/a-job/retry/", {}, Idempotency_Key="k") for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202]
    assert answers[0].body["id"] == answers[1].body["id"]
    assert [str(run.pk) for run in Run.objects.filter(replay_of=failed.pk)] == [answers[0].body["id"]]
