"""The verbs of Repeater: make, change, make or change, delete; and how each refuses."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from badgerjobs.runs.models import Attempt, Run, Runnable, State
from badgerjobs.workspaces.models import Application, AuditEntry, Scope
from jobs.graphql import given as arguments
from jobs.graphql import resolvers
from jobs.models import Job
from tests.callers import PROBLEM, Caller, caller_for
from tests.factories import make_attempt, make_event, make_job, make_run
from tests.graphql import documents
from tests.graphql.asking import ask, data, refused
from tests.graphql.given import CREATE_OR_UPDATE, ELSEWHERE, LATER, NEEDED
from tests.in_turn import in_turn

pytestmark = pytest.mark.django_db

GIVEN: dict[str, Any] = {
    "name": "first", "enabled": True, "endpoint": "https://example.com/", "verb": "post", "retryable": True,
    "runAt": LATER,
}  # fmt: skip


def create(caller: Caller, **given: Any) -> Any:
    return data(caller, documents.CREATE, **{**GIVEN, **given})["createJob"]


def update(caller: Caller, **given: Any) -> Any:
    return data(caller, documents.UPDATE, **{"name": "first", **given})["updateJob"]


def stored() -> Job:
    return Job.objects.select_related("runnable").get(tag="first")


def test_a_job_is_made_and_reads_back_as_it_is_stored(alice: Caller) -> None:
    shown = create(alice, headers='{"X-A":"b"}', body='{"foo":"bar"}', runEvery="P1D")
    assert {name: shown[name] for name in GIVEN} == {**GIVEN, "verb": "POST"}
    assert (json.loads(shown["headers"]), shown["body"], shown["runEvery"]) == ({"X-A": "b"}, '{"foo":"bar"}', "P1D")
    job = stored()
    assert (job.application, job.runnable.run_every) == (alice.application, "P1D")
    assert job.runnable.next_run_at == job.runnable.run_at
    entry = AuditEntry.objects.get(action="job.create")
    assert (entry.subject, entry.via, entry.actor.startswith("test (")) == ("first", "api", True)


def test_what_is_not_said_of_a_new_job_is_as_usual(alice: Caller) -> None:
    query = f"""mutation {{ createJob(name: "first", endpoint: "https://example.com/", verb: "get", runAt: "{LATER}",
      enabled: null, headers: null, body: null, runEvery: null, applicationName: null)
      {{ enabled retryable headers body runEvery }} }}"""
    usual = {"enabled": True, "retryable": True, "headers": None, "body": None, "runEvery": None}
    assert data(alice, query) == {"createJob": usual}


@pytest.mark.parametrize(("policy", "retries"), [("polynomial", 24), ("incremental", 2)])
def test_what_is_retryable_has_the_retry_policy_of_the_application(alice: Caller, policy: str, retries: int) -> None:
    Application.objects.update(backoff=policy, retries=retries, retry_step_s=1)
    create(alice, runEvery="PT1H")
    assert (stored().runnable.backoff, stored().runnable.retries) == (policy, retries)
    update(alice, retryable=False)
    assert stored().runnable.retries == 0
    update(alice, retryable=True)
    assert (stored().runnable.backoff, stored().runnable.retries) == (policy, retries)


def test_a_job_that_is_disabled_waits_until_it_is_enabled(alice: Caller) -> None:
    create(alice, enabled=False)
    assert data(alice, "{ jobs { enabled nextRunAt } }")["jobs"] == [{"enabled": False, "nextRunAt": None}]
    assert update(alice, enabled=True)["enabled"] is True
    assert data(alice, "{ jobs { nextRunAt } }")["jobs"] == [{"nextRunAt": LATER}]


def test_a_second_job_of_one_name_is_refused_and_the_first_stays(alice: Caller) -> None:
    create(alice)
    said = refused(alice, documents.CREATE, **{**GIVEN, "verb": "get"})
    assert said == "There is a job with the name “first” already: change it with updateJob, or use createOrUpdateJob."
    assert stored().verb == "POST"


def test_an_update_changes_what_is_given_and_nothing_else(alice: Caller) -> None:
    create(alice, headers='{"X-A":"b"}', body="b", runEvery="PT1H")
    before = stored()
    shown = update(alice, verb="get")
    assert (shown["verb"], shown["body"], shown["runEvery"], shown["runAt"]) == ("GET", "b", "PT1H", LATER)
    job = stored()
    assert (job.headers, job.endpoint, job.retryable) == (before.headers, before.endpoint, before.retryable)
    assert job.runnable.next_run_at == before.runnable.next_run_at


@pytest.mark.parametrize("none", [None, "", "null"])
def test_headers_are_cleared_by_null_by_nothing_and_by_the_text_null(alice: Caller, none: str | None) -> None:
    create(alice, headers='{"X-A":"b"}')
    assert update(alice, headers=none)["headers"] is None
    assert stored().headers == {}


def test_a_schedule_that_repeats_does_so_no_more_when_null_is_given(alice: Caller) -> None:
    create(alice, runEvery="PT1H")
    assert update(alice, runEvery=None)["runEvery"] is None
    assert (stored().runnable.run_every, stored().runnable.schedule.is_recurring) == ("", False)
    assert update(alice, body=None)["body"] is None


def test_stars_that_come_back_keep_the_credential(alice: Caller) -> None:
    shown = create(alice, headers='{"Authorization":"Bearer secret","X-A":"b"}')
    update(alice, headers=json.dumps({**json.loads(shown["headers"]), "X-A": "c"}))
    assert stored().headers == {"Authorization": "Bearer secret", "X-A": "c"}


def test_an_update_cancels_what_waits_and_plans_anew(alice: Caller) -> None:
    create(alice)
    waiting = make_run(stored().runnable, State.RETRYING, number=1)
    update(alice, runAt="2031-01-01T00:00:00Z")
    assert Run.objects.get(pk=waiting.pk).state == State.ABORTED
    assert data(alice, "{ jobs { nextRunAt } }")["jobs"] == [{"nextRunAt": "2031-01-01T00:00:00.000Z"}]


def test_a_job_that_ran_once_is_planned_again_by_a_new_time(alice: Caller) -> None:
    now = timezone.now()
    job = make_job(alice.application, "first", now - timedelta(days=1), run_at=now - timedelta(days=1))
    type(job.runnable).objects.filter(pk=job.runnable_id).update(next_run_at=None, runs_made=1)
    update(alice, runAt=LATER)
    assert (stored().runnable.next_run_at is not None, stored().runnable.runs_made) == (True, 1)


@pytest.fixture
def ran(alice: Caller) -> Job:
    """A job of half a minute ago, which was run then."""
    at = timezone.now() - timedelta(seconds=30)
    job = make_job(alice.application, "first", at, run_at=at)
    make_run(job.runnable, State.SUCCEEDED, occurrence=at)
    Runnable.objects.update(next_run_at=None, runs_made=1, scheduled_runs=1)
    return job


def test_what_ran_once_goes_on_from_its_time_with_the_next_that_is_to_come(alice: Caller, ran: Job) -> None:
    update(alice, runEvery="PT1H")
    assert ran.runnable.run_at
    assert stored().runnable.next_run_at == ran.runnable.run_at + timedelta(hours=1)


def test_what_repeated_is_not_run_again_when_it_does_so_no_more(alice: Caller, ran: Job) -> None:
    update(alice, runEvery="PT1H")
    assert update(alice, runEvery=None)["runEvery"] is None
    assert stored().runnable.next_run_at is None


def test_what_repeated_is_not_run_again_where_its_runs_are_not_kept_any_more(alice: Caller, ran: Job) -> None:
    Runnable.objects.update(run_every="PT1H", scheduled_runs=3)
    Run.objects.all().delete()
    update(alice, runEvery=None)
    assert stored().runnable.next_run_at is None


@pytest.mark.parametrize("state", [None, State.QUEUED], ids=["planned", "queued"])
def test_what_was_to_run_and_has_not_still_does_when_it_repeats_no_more(alice: Caller, state: State | None) -> None:
    at = timezone.now() - timedelta(seconds=30)
    job = make_job(alice.application, "first", at, run_at=at, run_every="PT1H")
    if state:
        make_run(job.runnable, state, occurrence=at)
    update(alice, runEvery=None)
    assert stored().runnable.next_run_at is not None


def test_another_time_that_is_past_runs_what_ran_once_more(alice: Caller, ran: Job) -> None:
    update(alice, runAt=(timezone.now() - timedelta(seconds=5)).isoformat())
    assert stored().runnable.next_run_at is not None


def test_what_repeats_no_more_has_no_end_of_that_either(alice: Caller) -> None:
    make_job(alice.application, "first", run_at=timezone.now() + timedelta(days=1), run_every="PT1H", max_runs=5)
    update(alice, runEvery=None)
    assert (stored().runnable.max_runs, stored().runnable.run_every) == (None, "")


def test_a_duration_takes_the_place_of_another_kind_of_schedule(alice: Caller) -> None:
    make_job(alice.application, "first", cron="0 8 * * *")
    assert update(alice, runEvery="PT1H")["runEvery"] == "PT1H"
    assert stored().runnable.cron == ""


def test_create_or_update_makes_first_and_then_changes_what_is_given(alice: Caller) -> None:
    made = data(alice, CREATE_OR_UPDATE, **NEEDED, body="b", enabled=False, runEvery=None)["createOrUpdateJob"]
    assert (made["verb"], made["enabled"], made["body"]) == ("PUT", False, "b")
    changed = data(alice, CREATE_OR_UPDATE, **{**NEEDED, "verb": "patch"})["createOrUpdateJob"]
    assert (changed["verb"], changed["enabled"], changed["body"]) == ("PATCH", False, "b")
    assert [entry.action for entry in AuditEntry.objects.order_by("id")][-2:] == ["job.create", "job.update"]


def test_what_a_job_performs_is_refused_in_words_that_are_arguments(alice: Caller) -> None:
    make_job(alice.application, "first", event=make_event(alice.application), endpoint="", verb="")
    make_job(alice.application, "second")
    for given in ({"name": "first", "endpoint": ELSEWHERE}, {"name": "second", "endpoint": None}):
        said = refused(alice, documents.UPDATE, **given)
        assert said.startswith("endpoint: ")
        assert "event_tag" not in said


def test_what_somebody_makes_meanwhile_is_changed_where_something_is_given_and_nowhere_else(
    alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = arguments.checked

    def meanwhile(*said: Any, **of: Any) -> Any:
        """Somebody else makes it when it was looked for, and before it is made."""
        if not Job.objects.exists():
            theirs: dict[str, Any] = {
                "headers": {"Authorization": "Bearer x"},
                "body": "theirs",
                "retryable": False,
                "timeout": 77,
            }
            make_job(alice.application, "first", verb="GET", **theirs)
        return asked(*said, **of)

    monkeypatch.setattr(resolvers, "checked", meanwhile)
    changed = data(alice, CREATE_OR_UPDATE, **NEEDED)["createOrUpdateJob"]
    assert (changed["verb"], changed["body"]) == ("PUT", "theirs")
    job = stored()
    assert (job.headers, job.timeout, job.retryable) == ({"Authorization": "Bearer x"}, 77, False)


def test_a_deleted_job_is_gone_with_what_waits_and_what_came_of_it(alice: Caller) -> None:
    job = make_job(alice.application, "first")
    make_attempt(make_run(job.runnable, State.SUCCEEDED))
    make_run(job.runnable, State.RETRYING)
    assert data(alice, documents.DELETE, name="first") == {"deleteJob": {"name": "first"}}
    assert data(alice, "{ jobs { name } jobResults { run } }") == {"jobs": [], "jobResults": []}
    assert not Run.objects.for_application(alice.application).exists()
    assert AuditEntry.objects.filter(action="job.delete", subject="first").exists()


@pytest.mark.parametrize("query", [documents.DELETE, documents.UPDATE], ids=["delete", "update"])
@pytest.mark.parametrize("name", ["none", "a\0b"], ids=["none", "null"])
def test_what_is_not_there_cannot_be_changed(alice: Caller, query: str, name: str) -> None:
    assert refused(alice, query, name=name) == f"There is no job with the name “{name}” in this application."


def test_a_stranger_changes_nothing(alice: Caller, charlie: Caller) -> None:
    make_job(alice.application, "first")
    for query in (documents.DELETE, documents.UPDATE):
        assert "no job with the name “first”" in refused(charlie, query, name="first")
    create(charlie)
    assert stored_of(alice).verb == "POST"
    assert Job.objects.count() == 2


def stored_of(caller: Caller) -> Job:
    return Job.objects.for_application(caller.application).get(tag="first")


@in_turn(
    "given, said",
    [
        ({"verb": "fetch"}, "verb: “FETCH” is none of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS."),
        ({"endpoint": "example.com"}, "endpoint: "),
        ({"runAt": "tomorrow"}, "runAt: Give a time like 2026-11-21T22:50:28Z."),
        ({"runAt": "2030-01-01T00:00:00"}, "runAt: Say where that time is"),
        ({"runEvery": "P1H"}, "runEvery: "),
        ({"runEvery": "hourly"}, "runEvery: "),
        ({"headers": "X-A: b"}, "headers: Give the headers as the text of a JSON object"),
        ({"headers": '["X-A"]'}, "headers: Give the headers as the text of a JSON object"),
        ({"headers": "[" * 5000}, "headers: Give the headers as the text of a JSON object"),
        ({"headers": '{"Host":"a"}'}, "headers: "),
        ({"headers": '{"X-A":{}}'}, "headers: X-A: Give a string."),
        ({"headers": '{"0":"{","1":"}","2":"x","Content-Type":"a"}'}, "headers: These headers are a text in pieces"),
        ({"name": "a/b"}, "name: A name may hold neither “/”"),
        ({"name": "cancel"}, "name: “jobs/cancel/” is the address of something else: choose another name."),
        ({"name": ""}, "name: "),
        ({"body": "x" * 1_000_001}, "body: The body has 1,000,001 bytes: at most 1,000,000 can be sent."),
    ],
)
def test_a_wrong_argument_is_named_with_what_would_be_right(alice: Caller, given: dict[str, Any], said: str) -> None:
    answer = ask(alice, documents.CREATE, **{**GIVEN, **given})
    [error] = answer.body["errors"]
    assert (answer.status, answer.body["data"]) == (200, None)
    assert error["message"].startswith(said)
    assert (error["extensions"]["code"], list(error["extensions"]["arguments"])) == ("BAD_INPUT", list(given))
    assert not Job.objects.exists()


def test_a_wrong_change_changes_nothing(alice: Caller) -> None:
    create(alice)
    assert refused(alice, documents.UPDATE, name="first", verb="get", runEvery="P1H").startswith("runEvery: ")
    assert refused(alice, documents.UPDATE, name="first", verb=None).startswith("verb: ")
    assert stored().verb == "POST"


def test_several_verbs_of_one_request_are_done_in_their_order(alice: Caller) -> None:
    one = f'endpoint: "https://example.com/", verb: "get", runAt: "{LATER}"'
    query = f"""mutation {{ a: createJob(name: "a", {one}) {{ name }} b: deleteJob(name: "a") {{ name }}
      c: createJob(name: "a", {one}) {{ name }} }}"""
    assert data(alice, query) == {name: {"name": "a"} for name in "abc"}


def test_a_mutation_needs_write_and_more_than_its_own_fields_needs_read_too(alice: Caller) -> None:
    reads, writes = (caller_for(alice.application, scopes=[scope]) for scope in (Scope.READ, Scope.WRITE))
    answer = ask(reads, documents.CREATE, **GIVEN)
    assert (answer.status, answer.content_type) == (403, PROBLEM)
    assert answer.body["detail"] == "This token lacks the scope “write”."
    assert not Job.objects.exists()
    create(writes)
    for query in (documents.JOBS, 'mutation { updateJob(name: "first") { jobResults { body } } }'):
        answer = ask(writes, query)
        assert (answer.status, answer.body["detail"]) == (403, "This token lacks the scope “read”.")
    assert [each["name"] for each in data(reads, documents.JOBS)["jobs"]] == ["first"]
    assert not Attempt.objects.exists()
