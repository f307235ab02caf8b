"""The verbs of Repeater where they reach another application of the workspace: what they do there, and do not show."""

from typing import Any

import pytest

from badgerjobs.workspaces.models import Application, AuditEntry
from jobs.models import Job
from tests.callers import Caller
from tests.factories import make_application, make_event, make_job
from tests.graphql.asking import ask, data, refused
from tests.graphql.given import CREATE_OR_UPDATE, ELSEWHERE, LATER, NEEDED

pytestmark = pytest.mark.django_db

PUT_BESIDE = f"""mutation M($applicationName: String, $endpoint: String!, $headers: String, $body: String) {{
  createOrUpdateJob(applicationName: $applicationName, name: "pay", endpoint: $endpoint, verb: "post",
    headers: $headers, body: $body, runAt: "{LATER}") {{ name endpoint headers body }} }}"""
THEIRS = "https://pay.example.com/"


def beside(application: Application, name: str = "other") -> Application:
    return Application.objects.create(workspace=application.workspace, name=name)


def test_create_or_update_looks_in_the_application_that_is_named_and_moves_nothing(alice: Caller) -> None:
    other = beside(alice.application)
    make_job(alice.application, "first")
    theirs = make_job(other, "first", body="theirs")
    shown = data(alice, CREATE_OR_UPDATE, **NEEDED, applicationName="other")["createOrUpdateJob"]
    assert (shown["verb"], shown["application"]) == ("PUT", {"name": "other"})
    theirs.refresh_from_db()
    assert (theirs.verb, theirs.application) == ("PUT", other)
    assert Job.objects.get(application=alice.application).verb == "POST"


def test_a_job_is_made_in_another_application_of_the_workspace_and_the_log_says_whose_token(alice: Caller) -> None:
    other = beside(alice.application)
    query = f"""mutation {{ createJob(applicationName: "OTHER", name: "first", endpoint: "https://example.com/",
      verb: "get", runAt: "{LATER}") {{ name }} }}"""
    data(alice, query)
    assert Job.objects.get(tag="first").application == other
    entry = AuditEntry.objects.get(action="job.create")
    assert (entry.application_id, entry.workspace_id) == (other.pk, other.workspace_id)
    assert entry.actor.endswith(") of shop")
    assert data(alice, "{ jobs { name } }") == {"jobs": []}


def test_what_another_application_stored_is_not_shown(alice: Caller) -> None:
    make_job(beside(alice.application), "pay", endpoint=THEIRS, headers={"X-A": "theirs"}, body="theirs")
    shown = data(alice, PUT_BESIDE, endpoint=THEIRS, applicationName="other")["createOrUpdateJob"]
    assert shown == {"name": "pay", "endpoint": THEIRS, "headers": None, "body": None}
    job = Job.objects.get(tag="pay")
    assert (job.headers, job.body) == ({"X-A": "theirs"}, "theirs")


@pytest.mark.parametrize("endpoint", [ELSEWHERE, f"{THEIRS}log", f"{THEIRS}?to=me"], ids=["host", "path", "query"])
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({}, ["body", "headers"]),
        ({"body": None}, ["headers"]),
        ({"headers": "{}"}, ["body"]),
        ({"headers": '{"X-Token": "********"}', "body": "mine"}, ["headers"]),
    ],
    ids=["both", "headers", "body", "stars"],
)
def test_what_another_application_stored_is_sent_to_its_endpoint_as_it_is_and_to_no_other(
    alice: Caller, given: dict[str, Any], kept: list[str], endpoint: str
) -> None:
    headers = {"X-A": "theirs", "X-Token": "theirs"}
    make_job(beside(alice.application), "pay", endpoint=THEIRS, headers=headers, body="theirs")
    answer = ask(alice, PUT_BESIDE, endpoint=endpoint, applicationName="other", **given)
    [error] = answer.body["errors"]
    assert sorted(error["extensions"]["arguments"]) == kept
    assert "was meant for its endpoint as it is" in error["message"]
    assert Job.objects.get(tag="pay").endpoint == THEIRS


def test_an_event_of_another_application_is_not_named(alice: Caller) -> None:
    other = beside(alice.application)
    make_job(other, "pay", event=make_event(other, "of-theirs"), endpoint="", verb="")
    answer = ask(alice, PUT_BESIDE, endpoint=ELSEWHERE, applicationName="other")
    [error] = answer.body["errors"]
    assert (error["extensions"]["code"], "it can be changed there" in error["message"]) == ("CONFLICT", True)
    assert "of-theirs" not in str(answer.body)


def test_a_job_of_another_application_calls_another_host_with_headers_and_body_given_anew(alice: Caller) -> None:
    make_job(beside(alice.application), "pay", endpoint=THEIRS, headers={"X-A": "theirs"}, body="theirs")
    data(alice, PUT_BESIDE, endpoint=ELSEWHERE, applicationName="other", headers='{"X-A": "mine"}', body="mine")
    job = Job.objects.get(tag="pay")
    assert (job.endpoint, job.headers, job.body) == (ELSEWHERE, {"X-A": "mine"}, "mine")


def test_what_is_stored_here_goes_wherever_it_is_sent(alice: Caller) -> None:
    make_job(alice.application, "pay", endpoint=THEIRS, body="mine")
    shown = data(alice, PUT_BESIDE, endpoint=ELSEWHERE)["createOrUpdateJob"]
    assert (shown["endpoint"], shown["body"]) == (ELSEWHERE, "mine")


@pytest.mark.parametrize("name", ["charlies", "none", "a\0b"])
def test_an_application_of_another_workspace_is_none(alice: Caller, name: str) -> None:
    make_application("Charlie's", "charlies")
    query = CREATE_OR_UPDATE.replace("createOrUpdateJob", "createJob")
    for each in (query, CREATE_OR_UPDATE):
        said = refused(alice, each, **NEEDED, applicationName=name)
        assert said == (
            f"applicationName: There is no application “{name}” in this workspace. Leave it out for your own."
        )
    assert not Job.objects.exists()
