"""What a job says of overlap, catch-up, spread, its end and its priority: kept and shown, or refused with a way out."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs.models import Runnable
from tests.callers import Caller
from tests.in_turn import in_turn

pytestmark = pytest.mark.django_db
JOB = {"tag": "a-job", "endpoint": "https://example.org/", "verb": "GET", "run_every": "PT10M"}
POLICIES = {
    "overlap": "queue_all", "catch_up": "all", "catch_up_within": "PT2H", "priority": 7, "spread": "PT5M",
    "end_at": "2030-01-01T00:00:00Z", "max_runs": 12,
}  # fmt: skip
UNLESS_TOLD = {
    "overlap": "skip", "catch_up": "latest", "catch_up_within": None, "priority": 50, "spread": None,
    "end_at": None, "max_runs": None,
}  # fmt: skip


def test_policies_have_their_defaults_and_are_kept_as_they_were_given(alice: Caller) -> None:
    made = alice.post("/jobs/", JOB).body
    assert {name: made[name] for name in UNLESS_TOLD} == UNLESS_TOLD
    changed = alice.patch("/jobs/a-job/", POLICIES).body
    assert {name: changed[name] for name in POLICIES} == POLICIES
    sent_back = alice.put("/jobs/a-job/", changed)
    assert {name: sent_back.body[name] for name in POLICIES} == POLICIES


def test_an_interval_can_be_given_in_milliseconds_and_reads_both_ways(alice: Caller) -> None:
    made = alice.post("/jobs/", {**JOB, "run_every": None, "run_every_ms": 90_500}).body
    assert (made["run_every"], made["run_every_ms"]) == ("PT1M30.5S", 90_500)
    monthly = alice.patch("/jobs/a-job/", {"run_every": "P1M"}).body
    assert (monthly["run_every"], monthly["run_every_ms"]) == ("P1M", None)


@in_turn(
    "fields, field, said",
    [
        ({"catch_up": "all"}, "catch_up", "set overlap to queue_all or allow"),
        ({"catch_up": "all", "overlap": "queue_one"}, "catch_up", "set overlap to queue_all or allow"),
        ({"catch_up": "none", "catch_up_within": "PT1H"}, "catch_up_within", "leave catch_up_within out"),
        ({"catch_up_within": "PT0S"}, "catch_up_within", "give PT1S at least, or null for no limit"),
        ({"catch_up": "none", "catch_up_within": "pt0s"}, "catch_up_within", "or null for no limit"),
        ({"overlap": "both"}, "overlap", "“both” is none of skip, queue_one, queue_all, cancel_running, allow."),
        ({"catch_up": "{0}"}, "catch_up", "“{0}” is none of latest, none, all."),
        ({"catch_up_within": "P1D"}, "catch_up_within", "like PT24H"),
        ({"catch_up_within": "an hour"}, "catch_up_within", "ISO 8601"),
        ({"spread": "PT11M"}, "spread", "10 minutes: give that at most"),
        ({"spread": "PT1.5S"}, "spread", "whole seconds"),
        ({"end_at": "2020-01-01T00:00:00Z"}, "end_at", ""),
        ({"run_at": "2030-01-02T00:00:00Z", "end_at": "2030-01-01T00:00:00Z"}, "end_at", ""),
        ({"run_every": None, "max_runs": 3}, "max_runs", "Only what repeats"),
        ({"max_runs": 0}, "max_runs", ""),
        ({"overlap": "both"}, "overlap", "both"),
        ({"priority": 101}, "priority", ""),
        ({"run_every": None, "cron": "0 * * * * *"}, "cron", "run_every"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "time zone"),
        ({"run_every": None, "run_every_ms": 999}, "run_every_ms", "one second"),
        ({"run_every_ms": 60_000}, "run_every_ms", "either run_every or run_every_ms"),
        ({"run_every": None, "run_every_ms": True}, "run_every_ms", "whole milliseconds"),
    ],
)
def test_what_contradicts_is_refused_on_its_field_with_the_way_out(
    alice: Caller, fields: dict[str, Any], field: str, said: str
) -> None:
    answer = alice.post("/jobs/", {**JOB, **fields})
    assert answer.status == 400, answer.body
    assert said in answer.errors[field][0]
    assert not Runnable.objects.exists()


def test_a_change_is_judged_with_what_was_there_before(alice: Caller) -> None:
    alice.post("/jobs/", {**JOB, "overlap": "allow", "catch_up": "all"})
    assert "catch_up" in alice.patch("/jobs/a-job/", {"overlap": "skip"}).errors
    assert "spread" in alice.patch("/jobs/a-job/", {"spread": "PT1H"}).errors
    assert alice.patch("/jobs/a-job/", {"spread": "PT1H", "run_every": "PT2H"}).status == 200


def test_a_job_that_has_ended_can_still_be_renamed(alice: Caller) -> None:
    alice.post("/jobs/", {**JOB, "end_at": "2030-01-01T00:00:00Z"})
    Runnable.objects.update(end_at="2020-01-01T00:00:00Z", anchor="2019-01-01T00:00:00Z", next_run_at=None)
    assert alice.patch("/jobs/a-job/", {"name": "Done"}).status == 200


def test_a_spread_moves_the_next_run_to_its_own_place(alice: Caller) -> None:
    alice.post("/jobs/", {**JOB, "run_every": "PT1H", "run_at": "2029-01-01T00:00:00Z", "spread": "PT1H"})
    runnable = Runnable.objects.get()
    assert runnable.run_at
    assert runnable.next_run_at
    assert 0 < runnable.offset_ms < 3_600_000
    assert runnable.next_run_at - runnable.run_at == timedelta(milliseconds=runnable.offset_ms)


def test_a_new_schedule_counts_its_runs_anew_and_a_longer_one_goes_on(alice: Caller) -> None:
    alice.post("/jobs/", {**JOB, "max_runs": 2})
    Runnable.objects.update(scheduled_runs=2, next_run_at=None)
    alice.patch("/jobs/a-job/", {"priority": 3})
    assert Runnable.objects.get().next_run_at is None
    alice.patch("/jobs/a-job/", {"max_runs": 3})
    assert Runnable.objects.get().next_run_at
    assert Runnable.objects.get().scheduled_runs == 2
    alice.patch("/jobs/a-job/", {"run_every": "PT5M"})
    assert Runnable.objects.get().scheduled_runs == 0


def test_a_spread_of_no_time_is_none(alice: Caller) -> None:
    assert alice.post("/jobs/", {**JOB, "spread": "PT0S"}).body["spread"] is None


BY_HAND = {"tag": "a-job", "endpoint": "https://example.com/", "verb": "GET"}


@pytest.mark.parametrize(
    "stored",
    [{"spread": "PT5M"}, {"catch_up": "none"}, {"catch_up_within": "PT1H"}],
    ids=lambda given: next(iter(given)),
)
def test_what_comes_to_run_by_hand_leaves_what_it_has_no_use_for(alice: Caller, stored: dict[str, str]) -> None:
    [field] = stored
    alice.post("/jobs/", {**JOB, **stored})
    refused = alice.patch("/jobs/a-job/", {"run_every": None})
    assert (refused.status, set(refused.errors)) == (400, {field})
    usual = {"catch_up": "latest"}.get(field)
    assert alice.patch("/jobs/a-job/", {"run_every": None, field: usual}).status == 200
    assert alice.post("/jobs/", {**BY_HAND, "tag": "once", "run_at": "2029-01-01T00:00:00Z", **stored}).status == 201


def test_what_ran_by_hand_with_a_spread_already_can_be_changed_and_sent_back(alice: Caller) -> None:
    alice.post("/jobs/", BY_HAND)
    Runnable.objects.update(spread_s=300, catch_up="none")
    read = alice.patch("/jobs/a-job/", {"priority": 3}).body
    assert (read["spread"], read["catch_up"]) == ("PT5M", "none")
    assert alice.put("/jobs/a-job/", read).status == 200
    assert set(alice.patch("/jobs/a-job/", {"spread": "PT6M"}).errors) == {"spread"}


def test_a_job_whose_runs_are_used_up_says_why_nothing_is_planned_of_it(alice: Caller) -> None:
    made = alice.post("/jobs/", {**JOB, "max_runs": 2}).body
    assert (made["scheduled_runs"], made["breaker"]) == (0, "closed")
    Runnable.objects.update(scheduled_runs=2, next_run_at=None)
    read = alice.get("/jobs/a-job/").body
    assert (read["enabled"], read["next_run_at"], read["scheduled_runs"], read["max_runs"]) == (True, None, 2, 2)
    assert alice.put("/jobs/a-job/", read).status == 200


@pytest.mark.parametrize("breaker", ["open", "half_open"])
def test_a_job_that_the_breaker_paused_says_so(alice: Caller, breaker: str) -> None:
    alice.post("/jobs/", JOB)
    Runnable.objects.update(enabled=False, next_run_at=None, breaker=breaker)
    assert alice.get("/jobs/a-job/").body["breaker"] == breaker
