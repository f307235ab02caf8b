"""Past occurrences of a job by REST: counted first, then run, each once, and said so in the log."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.models import AuditEntry, Scope
from tests.callers import PROBLEM, Caller, caller_for
from tests.factories import make_job, make_run

HOUR = timedelta(hours=1)
DAY = {"since": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z"}
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def hourly(alice: Caller) -> Caller:
    """Alice has a job, every hour since February."""
    make_job(alice.application, "t", run_every="PT1H", run_at=MIDNIGHT - timedelta(days=20))
    return alice


def test_a_dry_run_counts_and_makes_nothing(hourly: Caller) -> None:
    answer = hourly.post("/jobs/t/backfill/", {**DAY, "dry_run": True, "per_minute": 3})
    assert (answer.status, answer.body) == (200, {"count": 24})
    assert not Run.objects.exists()
    assert not AuditEntry.objects.filter(action="job.backfill").exists()


def test_what_has_no_run_is_run_and_the_log_says_who_did_what(hourly: Caller) -> None:
    owner = hourly.application.runnables.get()
    make_run(owner, State.SUCCEEDED, occurrence=MIDNIGHT)

    answer = hourly.post("/jobs/t/backfill/", {**DAY, "per_minute": 30})

    assert (answer.status, answer.body) == (202, {"count": 23})
    made = Run.objects.filter(cause="backfill").order_by("number")
    assert list(made.values_list("occurrence", flat=True)) == [MIDNIGHT + hour * HOUR for hour in range(1, 24)]
    assert made[2].due_at - made[0].due_at == timedelta(seconds=4)
    entry = AuditEntry.objects.get(action="job.backfill")
    assert (entry.subject, entry.via, entry.application) == ("t", "api", hourly.application)
    assert entry.changes == {
        "runs": [None, 23],
        "since": [None, "2026-03-01 00:00:00 UTC"],
        "until": [None, "2026-03-02 00:00:00 UTC"],
        "per_minute": [None, 30],
    }


def test_what_needs_no_run_leaves_no_word_in_the_log(hourly: Caller) -> None:
    body = {"since": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z"}
    assert hourly.post("/jobs/t/backfill/", body).body == {"count": 0}
    assert not AuditEntry.objects.filter(action="job.backfill").exists()


def test_the_same_request_twice_is_done_once(hourly: Caller) -> None:
    first, again = (hourly.post("/jobs/t/backfill/", DAY, Idempotency_Key="k") for _ in range(2))
    assert first.body == again.body == {"count": 24}
    assert Run.objects.count() == 24


def test_another_time_it_finds_nothing_left_to_run(hourly: Caller) -> None:
    assert [hourly.post("/jobs/t/backfill/", DAY).body["count"] for _ in range(2)] == [24, 0]


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({}, "since", "it is needed"),
        ({"since": DAY["since"]}, "until", "it is needed"),
        ({"since": DAY["until"], "until": DAY["since"]}, "until", "must be after the beginning"),
        ({**DAY, "since": "2026-03-01T00:00:00"}, "since", "Say where that time is"),
        ({**DAY, "per_minute": 0}, "per_minute", "Give at least 1"),
        ({**DAY, "per_minut": 1}, "per_minut", "did you mean per_minute?"),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_what_makes_no_sense_is_refused_with_its_field(
    hourly: Caller, body: dict[str, Any], field: str, said: str, dry_run: bool
) -> None:
    answer = hourly.post("/jobs/t/backfill/", {**body, "dry_run": dry_run})
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert said in answer.errors[field][0]
    assert not Run.objects.exists()


def test_more_than_one_request_may_run_is_refused(alice: Caller) -> None:
    now = timezone.now()
    make_job(alice.application, "t", now=now, run_every="PT1S", run_at=now - timedelta(days=9))
    body = {"since": (now - timedelta(days=3)).isoformat(), "until": now.isoformat()}
    for dry_run in (True, False):
        answer = alice.post("/jobs/t/backfill/", {**body, "dry_run": dry_run})
        assert (answer.status, "at most 10,000" in answer.errors["until"][0]) == (400, True)


def test_nobody_backfills_what_is_another_tenants_and_readers_nothing(hourly: Caller, charlie: Caller) -> None:
    reader = caller_for(hourly.application, scopes=[Scope.READ])
    assert charlie.post("/jobs/t/backfill/", DAY).status == 404
    assert reader.post("/jobs/t/backfill/", {**DAY, "dry_run": True}).status == 403
    assert not Run.objects.exists()
