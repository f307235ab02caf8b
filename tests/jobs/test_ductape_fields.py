"""Ductape's words on a job: what comes in, what it means, what is read back, and what contradicts."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from badgerjobs.runs.models import Run, Runnable, State
from badgerjobs.runs.schedules import offset_ms
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import AuditEntry
from jobs.models import Event, Job
from jobs.services import update_job
from tests.callers import Caller
from tests.factories import NOW, make_application, make_attempt, make_connection, make_event, make_job, make_run
from tests.in_turn import in_turn

pytestmark = pytest.mark.django_db
CALL = {"tag": "a-job", "endpoint": "https://example.org/", "verb": "GET"}
MAIL = {"tag": "a-job", "event_type": "NOTIFICATION", "event_tag": "greet"}
GREETS: dict[str, Any] = {
    "type": "NOTIFICATION", "configuration": {"channel": "chat", "url": "https://hooks.example.com/", "text": "Hello."},
}  # fmt: skip
AT_MS = 1_893_456_000_000
AT = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def shop(alice: Caller, charlie: Caller) -> Caller:
    """Alice with two events; Charlie has one that she has not."""
    make_event(alice.application, "greet", **GREETS)
    make_event(alice.application, "count")
    make_event(charlie.application, "theirs", **GREETS)
    return alice


def only() -> Job:
    return Job.objects.select_related("runnable", "event").get()


# When: the same columns by other names.


def test_the_example_of_ductapes_page_is_taken_and_read_back(shop: Caller) -> None:
    details = {
        "name": "Example Job", "tag": "example_job", "event_type": "NOTIFICATION", "event_tag": "greet",
        "executions": 5, "intervals": 60000,
    }  # fmt: skip
    made = shop.post("/jobs/", details)
    assert made.status == 201, made.body
    assert {name: made.body[name] for name in details} == details
    ours = {"max_runs": 5, "run_every": "PT1M", "run_every_ms": 60000, "retries": 0, "retryable": False}
    assert {name: made.body[name] for name in ours} == ours
    assert shop.get("/jobs/example_job/").body["executions"] == 5
    updated = shop.patch("/jobs/example_job/", {"name": "Updated", "executions": 10, "intervals": 120000}).body
    assert (updated["name"], updated["executions"], updated["intervals"]) == ("Updated", 10, 120000)
    assert updated["event_tag"] == "greet"


@in_turn(
    "given, read",
    [
        ({"executions": 0, "intervals": 1000}, {"executions": 0, "max_runs": None, "run_every": "PT1S"}),
        ({"executions": "7", "intervals": "1500"}, {"executions": 7, "max_runs": 7, "run_every": "PT1.5S"}),
        ({"max_runs": 3, "run_every": "PT1H"}, {"executions": 3, "intervals": 3_600_000}),
        ({"run_every": "P1M"}, {"executions": 0, "intervals": None}),
        ({"cron": "0 8 * * *"}, {"executions": 0, "intervals": None, "start_at": None}),
        ({"start_at": AT_MS}, {"start_at": AT_MS, "run_at": "2030-01-01T00:00:00Z"}),
        ({"start_at": str(AT_MS)}, {"start_at": AT_MS}),
        ({"start_at": "2030-01-01T01:00:00+01:00"}, {"start_at": AT_MS}),
        ({"run_at": "2030-01-01T00:00:00Z"}, {"start_at": AT_MS}),
        ({"start_at": None}, {"start_at": None, "run_at": None}),
        ({"executions": 5, "max_runs": 5, "intervals": 1000, "run_every": "PT1S"}, {"executions": 5}),
        ({"intervals": 1000, "run_every_ms": 1000, "run_every": None}, {"intervals": 1000}),
        ({"executions": 0, "max_runs": None, "intervals": None, "cron": "0 8 * * *"}, {"executions": 0}),
        ({"start_at": AT_MS, "run_at": "2030-01-01T00:00:00.000999Z"}, {"start_at": AT_MS}),
        ({"event_type": "action"}, {"event_type": "ACTION", "event_tag": None, "retries": 0}),
        ({}, {"event_type": "ACTION", "event_tag": None, "retries": 3, "input": None}),
        ({"event_type": "ACTION", "retries": 2}, {"retries": 2, "retryable": True}),
    ],
)
def test_a_call_in_either_words_reads_in_both(alice: Caller, given: dict[str, Any], read: dict[str, Any]) -> None:
    made = alice.post("/jobs/", {**CALL, **given})
    assert made.status == 201, made.body
    assert {name: made.body[name] for name in read} == read


def test_a_start_of_0_is_now_and_reads_as_the_moment_it_was(alice: Caller) -> None:
    before = timezone.now() - timedelta(milliseconds=1)
    made = alice.post("/jobs/", {**CALL, "start_at": 0, "intervals": 1000}).body
    first = only().runnable.run_at
    assert first
    assert before <= first <= timezone.now()
    assert made["start_at"] == round(first.timestamp() * 1000)
    assert only().runnable.next_run_at is not None


@pytest.mark.parametrize("given", [{}, {"start_at": AT_MS}, {"run_at": AT.isoformat()}, {"run_at": None}], ids=str)
def test_one_execution_and_nothing_between_is_once(alice: Caller, given: dict[str, Any]) -> None:
    made = alice.post("/jobs/", {**CALL, "executions": 1, "intervals": 0, **given})
    assert made.status == 201, made.body
    assert (made.body["intervals"], made.body["executions"], made.body["run_every"]) == (None, 0, None)
    runnable = only().runnable
    assert (runnable.next_run_at == AT) == any(given.values())
    assert runnable.next_run_at
    assert not runnable.schedule.is_recurring


def test_a_series_becomes_one_execution_at_its_start(alice: Caller) -> None:
    alice.post("/jobs/", {**CALL, "start_at": AT_MS, "intervals": 1000, "executions": 5})
    assert alice.patch("/jobs/a-job/", {"executions": 1, "intervals": 0}).status == 200
    runnable = only().runnable
    assert (runnable.next_run_at, runnable.run_every, runnable.max_runs) == (AT, "", None)


def test_a_put_that_leaves_the_input_out_takes_it_away(shop: Caller) -> None:
    shop.post("/jobs/", {**MAIL, "input": {"to": "bob"}})
    assert shop.put("/jobs/a-job/", {"event_tag": "count"}).body["input"] is None
    assert only().input is None


def test_the_start_that_was_read_does_not_begin_a_series_anew(alice: Caller) -> None:
    alice.post("/jobs/", {**CALL, "run_at": "2030-01-01T00:00:00.000789Z", "intervals": 1000, "executions": 5})
    Runnable.objects.update(scheduled_runs=2)
    read = alice.get("/jobs/a-job/").body
    sent = {name: read[name] for name in ("name", "start_at", "executions", "intervals")}
    assert alice.patch("/jobs/a-job/", sent).status == 200
    assert only().runnable.scheduled_runs == 2
    assert only().runnable.run_at == datetime(2030, 1, 1, 0, 0, 0, 789, tzinfo=UTC)


def test_what_was_read_can_be_sent_back_whole(shop: Caller) -> None:
    for job in (
        {**CALL, "intervals": 1000, "executions": 5, "start_at": AT_MS},
        {**MAIL, "tag": "b", "cron": "0 8 * * *", "input": {"to": ["x"]}},
    ):
        read = shop.post("/jobs/", job).body
        for send in (shop.put, shop.patch):
            answer = send(f"/jobs/{job['tag']}/", read)
            assert answer.status == 200, answer.body
            assert {**answer.body, "updated_at": ""} == {**read, "updated_at": ""}
    assert not AuditEntry.objects.filter(action="job.update").exists()


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"executions": 5, "max_runs": 6, "intervals": 1000}, "executions", "`max_runs`"),
        ({"executions": 0, "max_runs": 6, "intervals": 1000}, "executions", "`max_runs`"),
        ({"executions": 6, "max_runs": None, "intervals": 1000}, "executions", "`max_runs`"),
        ({"intervals": 1000, "run_every": "PT2S"}, "intervals", "`run_every`"),
        ({"intervals": 1000, "run_every": "P1D"}, "intervals", "`run_every`"),
        ({"intervals": 1000, "run_every_ms": 2000}, "intervals", "`run_every_ms`"),
        ({"start_at": AT_MS, "run_at": "2030-01-01T00:00:01Z"}, "start_at", "`run_at`"),
        ({"start_at": AT_MS, "run_at": None}, "start_at", "`run_at`"),
        ({"start_at": 198766789}, "start_at", "198766789 seconds are 198766789000"),
        ({"start_at": 1_763_800_000}, "start_at", "milliseconds"),
        ({"start_at": 5}, "start_at", "milliseconds since 1970"),
        ({"start_at": -5}, "start_at", "1969"),
        ({"start_at": "soon"}, "start_at", ""),
        ({"start_at": "2030-01-01T00:00:00"}, "start_at", "offset"),
        ({"start_at": True}, "start_at", "or 0, which is now"),
        ({"start_at": 10**19}, "start_at", "or 0, which is now"),
        ({"start_at": 1.5}, "start_at", "or 0, which is now"),
        ({"executions": -1, "intervals": 1000}, "executions", "0 is without end"),
        ({"executions": True, "intervals": 1000}, "executions", "0 is without end"),
        ({"executions": None, "intervals": 1000}, "executions", "0 is without end"),
        ({"executions": 1_000_000_001, "intervals": 1000}, "executions", "1,000,000,000"),
        ({"executions": 5}, "executions", "give intervals, cron or preset, or leave executions out."),
        ({"max_runs": 5}, "max_runs", "give run_every, cron or preset, or leave max_runs out."),
        ({"executions": 5, "intervals": 0}, "intervals", "1000 ms"),
        ({"executions": 1, "intervals": 0, "cron": "0 8 * * *"}, "intervals", "1000 ms"),
        ({"intervals": 999}, "intervals", "1000 ms"),
        ({"intervals": 0}, "intervals", "1000 ms"),
        ({"intervals": 1000, "cron": "0 8 * * *"}, "cron", ""),
        ({"event_type": "PARTY"}, "event_type", "MESSAGEBROKER"),
        ({"event_type": "FUNCTION"}, "event_tag", "stored event"),
        ({"event_tag": "none"}, "event_tag", "no event with the tag “none”"),
        ({"event_tag": "theirs"}, "event_tag", "no event with the tag “theirs”"),
        ({"event_tag": "greet"}, "endpoint", "The event “greet” says what is done"),
        ({"input": {"a": 1}}, "input", "Only a stored event"),
        ({"endpoint": None}, "endpoint", "`event_tag`"),
        ({"verb": None}, "verb", "`event_tag`"),
    ],
    ids=str,
)
def test_what_contradicts_or_cannot_be_is_refused_with_its_field_and_the_way_out(
    shop: Caller, given: dict[str, Any], field: str, words: str
) -> None:
    answer = shop.post("/jobs/", {**CALL, **given})
    assert answer.status == 400, answer.body
    assert words in answer.errors[field][0]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"event_type": "FUNCTION"}, "event_type", "is of the type NOTIFICATION"),
        ({"event_tag": "count"}, "event_type", "is of the type FUNCTION"),
        ({"event_tag": None}, "event_tag", "NOTIFICATION is done by a stored event"),
        ({"headers": {"X": "1"}}, "headers", "greet"),
        ({"body": "x"}, "body", "greet"),
        ({"fail_statuses": "500"}, "fail_statuses", "greet"),
        ({"retry_statuses": "503"}, "retry_statuses", "greet"),
        ({"verb": "GET"}, "verb", "greet"),
        ({"input": "x" * 1_000_000}, "input", "1,000,002 bytes"),
        ({"input": {"a": ["\0"]}}, "input", "null characters"),
        ({"input": {"\ud800": 1}}, "input", "halves"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else "given",
)
def test_an_event_job_that_cannot_be_is_refused_alike(
    shop: Caller, given: dict[str, Any], field: str, words: str
) -> None:
    answer = shop.post("/jobs/", {**MAIL, **given})
    assert answer.status == 400, answer.body
    assert words in answer.errors[field][0]


# What: an event, or a call.


@pytest.mark.parametrize("value", [{"to": ["a", None, 1.5, {"b": True}]}, [1, 2], "text", 0, False, ""], ids=repr)
def test_an_input_is_any_json_and_reads_as_it_was(shop: Caller, value: Any) -> None:
    made = shop.post("/jobs/", {**MAIL, "input": value})
    assert (made.status, made.body["input"]) == (201, value)
    assert shop.get("/jobs/a-job/").body["input"] == value
    assert json.loads(AuditEntry.objects.get(action="job.create").changes["input"][1]) == value


def test_an_event_job_has_no_call_and_is_of_its_own_kind(shop: Caller) -> None:
    made = shop.post("/jobs/", {**MAIL, "event_type": "notification"}).body
    assert (made["event_type"], made["endpoint"], made["verb"], made["retries"]) == ("NOTIFICATION", None, None, 0)
    assert only().runnable.kind == "event"
    assert shop.post(f"/jobs/{made['tag']}/run/").body["kind"] == "event"


def test_the_tag_of_an_event_alone_is_enough_and_its_retries_may_be_said(shop: Caller) -> None:
    made = shop.post("/jobs/", {"tag": "b", "event_tag": "count", "retries": 4}).body
    assert (made["event_type"], made["retries"], made["retryable"]) == ("FUNCTION", 4, True)


def test_a_put_of_an_event_job_begins_anew_without_retries(shop: Caller) -> None:
    shop.post("/jobs/", {**MAIL, "retries": 4})
    assert shop.put("/jobs/a-job/", MAIL).body["retries"] == 0
    assert shop.patch("/jobs/a-job/", {"retries": 2}).body["retries"] == 2
    assert shop.patch("/jobs/a-job/", {"event_tag": "greet", "name": "n"}).body["retries"] == 2


def test_a_job_becomes_an_event_and_a_call_again_and_the_log_says_so(shop: Caller) -> None:
    shop.post("/jobs/", {**CALL, "headers": {"X": "1"}, "body": "b", "retries": 2, "run_every": "PT1H"})
    waiting = make_run(only().runnable, State.RETRYING)
    event = shop.patch("/jobs/a-job/", {"event_tag": "greet", "input": [1]}).body
    assert [event[name] for name in ("endpoint", "verb", "headers", "body")] == [None, None, {}, ""]
    assert (event["event_type"], event["input"], event["retries"]) == ("NOTIFICATION", [1], 2)
    waiting.refresh_from_db()
    assert (only().runnable.kind, waiting.kind, waiting.state) == ("event", "event", "retrying")

    refused = shop.patch("/jobs/a-job/", {"endpoint": "https://example.org/"})
    assert (refused.status, list(refused.errors)) == (400, ["endpoint"])
    call = {"event_tag": None, "endpoint": "https://example.org/", "verb": "put"}
    assert shop.patch("/jobs/a-job/", {"event_tag": None}).errors.keys() == {"endpoint", "verb"}
    back = shop.patch("/jobs/a-job/", call).body
    assert [back[name] for name in ("event_type", "event_tag", "input", "verb")] == ["ACTION", None, None, "PUT"]
    waiting.refresh_from_db()
    assert (only().runnable.kind, waiting.kind) == ("http", "http")
    changes = list(AuditEntry.objects.filter(action="job.update").order_by("id").values_list("changes", flat=True))
    assert [change["event"] for change in changes] == [[None, "greet"], ["greet", None]]


@pytest.mark.parametrize("spelled", ["database-action", "Database Action", "DATABASE_ACTION"])
def test_a_type_is_taken_as_people_write_it_wherever_it_is_said(alice: Caller, spelled: str) -> None:
    make_event(
        alice.application, "count", type="DATABASE_ACTION", connection=make_connection(alice.application),
        configuration={"statement": "SELECT 1"},
    )  # fmt: skip
    job = {"tag": "a-job", "event_type": spelled, "event_tag": "count"}
    assert alice.post("/jobs/", job).body["event_type"] == "DATABASE_ACTION"
    assert alice.patch("/events/count/", {"type": spelled}).body["type"] == "DATABASE_ACTION"


def test_a_job_keeps_its_place_in_its_spread_when_its_kind_changes(alice: Caller) -> None:
    job = make_job(alice.application, run_every="PT1H", spread_s=600)
    place = offset_ms(job.runnable)
    update_job(
        job=job, by=OPERATOR, now=NOW, event=make_event(alice.application, "greet", **GREETS), endpoint="", verb=""
    )
    assert job.runnable.kind == "event"
    assert offset_ms(job.runnable) == place


def test_an_event_that_went_meanwhile_is_a_conflict(alice: Caller) -> None:
    event = make_event(alice.application, "greet", **GREETS)
    Event.objects.filter(pk=event.pk).delete()
    with pytest.raises(Exception, match="deleted in the meantime"):
        make_job(alice.application, event=event)


def test_a_partial_change_that_says_nothing_of_the_event_leaves_it(shop: Caller) -> None:
    shop.post("/jobs/", {**MAIL, "input": 1})
    assert shop.patch("/jobs/a-job/", {"event_type": "Notification", "name": "n"}).status == 200
    assert shop.patch("/jobs/a-job/", {"event_type": "ACTION"}).errors.keys() == {"event_type"}
    read = shop.patch("/jobs/a-job/", {"input": {"b": 2}}).body
    assert (read["event_tag"], read["input"]) == ("greet", {"b": 2})


def test_the_name_is_changed_and_the_tag_is_not(shop: Caller) -> None:
    shop.post("/jobs/", MAIL)
    assert shop.patch("/jobs/a-job/", {"name": "Other"}).body["name"] == "Other"
    assert shop.patch("/jobs/a-job/", {"tag": "other"}).status == 400


@pytest.mark.parametrize("tag", ["statistics", "cancel", "delete"])
def test_a_tag_that_is_the_address_of_something_else_is_refused(alice: Caller, tag: str) -> None:
    assert alice.post("/jobs/", {**CALL, "tag": tag}).errors.keys() == {"tag"}
    del_name = {key: value for key, value in CALL.items() if key != "tag"}
    assert alice.post("/jobs/", {**del_name, "name": tag}).errors.keys() == {"tag"}


def test_an_unknown_tag_is_not_found_in_a_sentence(alice: Caller) -> None:
    answer = alice.get("/jobs/nope/")
    assert (answer.status, "“nope”" in answer.body["detail"]) == (404, True)


def test_a_hundred_event_jobs_are_listed_by_as_many_queries_as_one(
    shop: Caller, django_assert_max_num_queries: Any
) -> None:
    event = Event.objects.get(tag="greet", application=shop.application)
    for number in range(5):
        make_job(shop.application, f"j{number}", event=event, endpoint="", verb="")
    with django_assert_max_num_queries(9):
        assert len(shop.get("/jobs/").body["results"]) == 5


def test_runs_of_another_tenant_are_not_touched_by_a_change_of_kind(shop: Caller) -> None:
    other = make_run(make_job(make_application("Dora's"), "a-job").runnable, State.RETRYING)
    shop.post("/jobs/", CALL)
    shop.patch("/jobs/a-job/", {"event_tag": "greet"})
    assert Run.objects.get(pk=other.pk).kind == "http"


def test_event_jobs_count_among_the_jobs_of_the_application_and_their_results_are_listed(shop: Caller) -> None:
    shop.post("/jobs/", {**MAIL, "run_every": "PT1H"})
    make_attempt(make_run(only().runnable), result={"message_id": "7"})
    counted = shop.get("/application/").body
    assert (counted["jobs_count"], counted["scheduled_jobs_count"]) == (1, 1)
    for path in ("/results/", "/jobs/a-job/results/"):
        [result] = shop.get(path).body["results"]
        assert (result["job"], result["result"], result["status"]) == ("a-job", {"message_id": "7"}, None)
