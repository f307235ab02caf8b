"""Making jobs: what is filled in, what comes back, and when the first run is planned."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.services import change_application
from jobs.models import Job, Verb
from tests.callers import PROBLEM, Caller
from tests.factories import NOW
from tests.in_turn import in_turn

GOOD: dict[str, Any] = {"tag": "t", "endpoint": "https://example.com/", "verb": "GET"}


def moment(text: str) -> datetime:
    parsed = parse_datetime(text)
    assert parsed
    return parsed


def test_what_is_left_out_takes_its_default(alice: Caller) -> None:
    answer = alice.post("/jobs/", GOOD)
    assert answer.status == 201
    made = {name: value for name, value in answer.body.items() if not name.endswith("ed_at")}
    assert made == {
        "tag": "t",
        "name": "t",
        "enabled": True,
        "pause_reason": None,
        "paused_until": None,
        "endpoint": "https://example.com/",
        "verb": "GET",
        "headers": {},
        "body": "",
        "body_truncated": False,
        "input_truncated": False,
        "retryable": True,
        "retry_policy": "incremental",
        "retries": 3,
        "retry_step": 10,
        "retry_delays": [],
        "retry_for": None,
        "fail_statuses": "400-599",
        "retry_statuses": None,
        "timeout": 30,
        "run_at": None,
        "run_every": None,
        "cron": None,
        "preset": None,
        "time_zone": "UTC",
        "run_every_ms": None,
        "end_at": None,
        "max_runs": None,
        "spread": None,
        "overlap": "skip",
        "catch_up": "latest",
        "catch_up_within": None,
        "priority": 50,
        "schedule": "by hand only",
        "last_run_at": None,
        "next_run_at": None,
        "scheduled_runs": 0,
        "breaker": "closed",
        "success_count": 0,
        "failure_count": 0,
        "event_type": "ACTION",
        "event_tag": None,
        "input": None,
        "executions": 0,
        "intervals": None,
        "start_at": None,
        "status": "idle",
    }


def test_what_is_read_is_what_making_it_answered(alice: Caller) -> None:
    given = {
        **GOOD,
        "name": "Refresh",
        "verb": "POST",
        "headers": {"X-Team": "shop"},
        "body": " {} \n",
        "retryable": False,
        "timeout": 900,
        "enabled": False,
        "cron": "*/15 8-18 * * 1-5",
        "time_zone": "Europe/Zurich",
    }
    made = alice.post("/jobs/", given).body
    assert {name: made[name] for name in given} == given
    assert alice.get("/jobs/t/").body == made
    assert alice.get("/jobs/").body["results"] == [made]


@pytest.mark.parametrize("verb", Verb.values)
def test_a_verb_comes_in_any_case_and_goes_out_upper(alice: Caller, verb: str) -> None:
    for given in (verb, verb.lower(), verb.title()):
        assert alice.put("/jobs/t/", {"verb": given, "endpoint": "https://example.com/"}).body["verb"] == verb
    assert Job.objects.get().verb == verb


@pytest.mark.parametrize("field", ["headers", "body", "run_at", "run_every", "cron", "preset"])
def test_null_is_as_if_it_were_left_out(alice: Caller, field: str) -> None:
    made = alice.post("/jobs/", {**GOOD, field: None})
    assert made.status == 201
    assert made.body[field] == alice.post("/jobs/", {**GOOD, "tag": "u"}).body[field]
    assert made.body == alice.get("/jobs/t/").body


def test_the_name_is_the_tag_unless_given_and_the_tag_the_name(alice: Caller) -> None:
    only_name = {"name": "nightly", "endpoint": "https://example.com/", "verb": "GET"}
    assert alice.post("/jobs/", only_name).body["tag"] == "nightly"
    unfit = alice.post("/jobs/", {**only_name, "name": "every day / night"})
    assert (unfit.status, set(unfit.errors)) == (400, {"tag"})


TAGS = [
    "a",
    "A",
    "a b",
    "a%b",
    "100%",
    "%2F",
    "é",
    "日本",
    "🦡",
    "a+b",
    "a&b=c",
    "a?b",
    "a#b",
    "a;b",
    "a:b@c",
    "run",
    "x" * 200,
]


@in_turn("tag", TAGS)
def test_a_tag_stands_in_the_address_however_it_is_written(alice: Caller, tag: str) -> None:
    assert alice.post("/jobs/", {**GOOD, "tag": tag}).body["tag"] == tag
    address = f"/jobs/{quote(tag, safe='')}/"
    assert alice.get(address).body["tag"] == tag
    assert alice.get(f"{address}results/").status == 200
    assert alice.put(address, {**GOOD, "tag": tag}).status == 200
    assert alice.post(f"{address}run/").body["name"] == tag
    assert alice.delete(address).status == 204
    assert alice.get(address).status == 404


def test_tags_that_differ_by_case_are_two_jobs(alice: Caller) -> None:
    assert [alice.post("/jobs/", {**GOOD, "tag": tag}).status for tag in ("a", "A")] == [201, 201]


def test_a_tag_that_is_taken_is_a_409_that_says_what_to_do(alice: Caller) -> None:
    alice.post("/jobs/", {**GOOD, "body": "first"})
    answer = alice.post("/jobs/", {**GOOD, "body": "second"})
    assert (answer.status, answer.content_type) == (409, PROBLEM)
    assert "PUT" in answer.body["detail"]
    assert alice.get("/jobs/t/").body["body"] == "first"
    assert Runnable.objects.count() == 1


def test_two_applications_may_have_the_same_tag(alice: Caller, charlie: Caller) -> None:
    assert alice.post("/jobs/", {**GOOD, "body": "alice"}).status == 201
    assert charlie.post("/jobs/", {**GOOD, "body": "charlie"}).status == 201
    assert alice.get("/jobs/t/").body["body"] == "alice"
    charlie.delete("/jobs/t/")
    assert alice.get("/jobs/t/").status == 200


def test_a_past_moment_without_repeat_is_due_at_once(alice: Caller) -> None:
    before = timezone.now()
    made = alice.post("/jobs/", {**GOOD, "run_at": "2020-01-01T00:00:00Z"}).body
    assert before <= moment(made["next_run_at"]) <= timezone.now()
    assert made["run_at"] == "2020-01-01T00:00:00Z"


def test_a_moment_to_come_is_when_it_runs(alice: Caller) -> None:
    when = timezone.now() + timedelta(hours=1)
    made = alice.post("/jobs/", {**GOOD, "run_at": when.isoformat()}).body
    assert moment(made["next_run_at"]) == when


def test_a_repeat_without_a_beginning_begins_now(alice: Caller) -> None:
    before = timezone.now()
    made = alice.post("/jobs/", {**GOOD, "run_every": "PT1H"}).body
    assert before <= moment(made["next_run_at"]) <= timezone.now()


def test_a_moment_keeps_its_instant_whatever_its_zone(alice: Caller) -> None:
    year = timezone.now().year + 1
    made = alice.post("/jobs/", {**GOOD, "run_at": f"{year}-03-02T14:00:00.123456+02:00"}).body
    assert moment(made["next_run_at"]) == datetime(year, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)


def test_what_is_disabled_is_not_planned(alice: Caller) -> None:
    made = alice.post("/jobs/", {**GOOD, "run_every": "PT1H", "enabled": False}).body
    assert (made["enabled"], made["next_run_at"]) == (False, None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"run_every": "PT15M"}, "every 15 minutes"),
        ({"cron": "0 8 * * 1", "time_zone": "Europe/Zurich"}, "Europe/Zurich"),
        ({"preset": "daily"}, "daily at 08:00 EST (13:00 UTC)"),
        ({"run_at": "2020-01-01T00:00:00Z"}, "once, at 2020-01-01"),
        ({}, "by hand only"),
    ],
)
def test_a_schedule_is_also_said_in_words(alice: Caller, given: dict[str, str], words: str) -> None:
    assert words in alice.post("/jobs/", {**GOOD, **given}).body["schedule"]


def test_a_new_job_begins_with_the_retries_of_its_application_and_keeps_them(alice: Caller) -> None:
    for retries, step_s, tag in ((5, 60, "t"), (0, 30, "u")):
        change_application(application=alice.application, by=OPERATOR, now=NOW, retries=retries, retry_step_s=step_s)
        alice.post("/jobs/", {**GOOD, "tag": tag})
        alice.patch(f"/jobs/{tag}/", {"timeout": 5})
    change_application(application=alice.application, by=OPERATOR, now=NOW, retries=7, retry_step_s=9)
    for tag in "tu":
        alice.patch(f"/jobs/{tag}/", {"timeout": 6})
    found = Runnable.objects.order_by("name").values_list("name", "retries", "retry_step_s")
    assert list(found) == [("t", 5, 60), ("u", 0, 30)]


@pytest.mark.parametrize(("retryable", "retries"), [(True, 3), (False, 0)])
def test_retryable_is_three_retries_or_none(alice: Caller, retryable: bool, retries: int) -> None:
    alice.post("/jobs/", {**GOOD, "retryable": retryable})
    assert Runnable.objects.get().retries == retries
    alice.patch("/jobs/t/", {"retryable": not retryable})
    assert Runnable.objects.get().retries == 3 - retries
