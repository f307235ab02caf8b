"""What the API does is in the audit log: once, by the name of the token, and only if it was done."""

import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs.models import State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import AuditEntry, Token
from jobs.models import Job
from jobs.services import delete_job
from tests.callers import Answer, Caller
from tests.factories import NOW, make_job, make_run

pytestmark = pytest.mark.django_db

JOB = {"tag": "t", "endpoint": "https://example.com/", "verb": "GET"}


@pytest.fixture
def job(alice: Caller) -> None:
    make_job(alice.application, "t", cron="0 8 * * *", headers={"Authorization": "hunter2"})
    AuditEntry.objects.all().delete()


def ask(caller: Caller, asked: str, body: Any) -> Answer:
    method, path = asked.split()
    return caller.send(method, path, b"" if body is None else json.dumps(body).encode())


def told() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.exclude(action="token.create").order_by("id").values_list("action", "subject"))


@pytest.mark.parametrize(
    ("asked", "body", "action"),
    [
        ("POST /jobs/", {**JOB, "tag": "new"}, "job.create"),
        ("PUT /jobs/new/", {**JOB, "tag": "new"}, "job.create"),
        ("PATCH /jobs/t/", {"cron": "0 9 * * *"}, "job.update"),
        ("PUT /jobs/t/", {**JOB, "cron": "0 9 * * *"}, "job.update"),
        ("POST /jobs/t/run/", None, "job.run"),
        ("DELETE /jobs/t/", None, "job.delete"),
    ],
)
def test_each_doing_is_told_once_with_who_where_and_when(
    alice: Caller, job: None, asked: str, body: Any, action: str
) -> None:
    assert ask(alice, asked, body).status < 300
    entry, token = AuditEntry.objects.get(), Token.objects.get()
    assert entry.action == action
    assert entry.subject == ("new" if "new" in str(body) else "t")
    assert (entry.actor, entry.via, entry.address) == (f"test ({token.prefix}…)", "api", "127.0.0.1")
    assert (entry.application, entry.workspace) == (alice.application, alice.application.workspace)
    assert "hunter2" not in str(entry.changes)


def test_a_change_is_told_as_before_and_after(alice: Caller, job: None) -> None:
    alice.patch("/jobs/t/", {"cron": "0 9 * * *", "enabled": False, "timeout": 30})
    assert AuditEntry.objects.get().changes == {"cron": ["0 8 * * *", "0 9 * * *"], "enabled": [True, False]}


def test_a_change_that_changes_nothing_is_not_told(alice: Caller, job: None) -> None:
    assert alice.patch("/jobs/t/", {"cron": "0 8 * * *", "headers": {"Authorization": "********"}}).status == 200
    assert told() == []


def test_a_new_credential_is_told_without_its_value(alice: Caller, job: None) -> None:
    alice.patch("/jobs/t/", {"headers": {"Authorization": "hunter3"}})
    stars = {"Authorization": "********"}
    assert AuditEntry.objects.get().changes == {"headers": [stars, stars]}


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        ("POST /jobs/", JOB),
        ("POST /jobs/", {**JOB, "tag": "new", "cron": "nonsense"}),
        ("PATCH /jobs/t/", {"endpoint": "https://elsewhere.example/"}),
        ("PATCH /jobs/u/", {"timeout": 3}),
        ("DELETE /jobs/u/", None),
        ("POST /jobs/u/run/", None),
        ("GET /jobs/t/", None),
    ],
)
def test_what_is_refused_or_only_read_is_not_told(alice: Caller, job: None, asked: str, body: Any) -> None:
    ask(alice, asked, body)
    assert told() == []


def test_what_is_asked_twice_under_one_key_is_told_once(alice: Caller) -> None:
    for _ in range(2):
        assert alice.post("/jobs/", JOB, Idempotency_Key="k").status == 201
    assert told() == [("job.create", "t")]


def test_of_two_who_delete_a_job_at_once_one_did_it(alice: Caller, job: None) -> None:
    first, second = (Job.objects.select_related("runnable", "application__workspace").get() for _ in range(2))
    for seen in (first, second):
        delete_job(job=seen, by=OPERATOR, now=NOW)
    assert told() == [("job.delete", "t")]


def test_an_abort_is_told_once_by_the_runs_name(alice: Caller, job: None) -> None:
    run = make_run(make_job(alice.application, "u").runnable, State.RUNNING, number=7)
    AuditEntry.objects.all().delete()
    for _ in range(2):
        assert alice.post(f"/runs/{run.pk}/abort/").status == 200
    assert told() == [("run.abort", "u 7")]


def test_what_was_rolled_back_is_not_told(alice: Caller) -> None:
    with transaction.atomic():
        assert alice.post("/jobs/", JOB).status == 201
        transaction.set_rollback(True)
    assert told() == []


def test_a_create_costs_one_statement_more(alice: Caller) -> None:
    with CaptureQueriesContext(connection) as captured:
        alice.post("/jobs/", JOB)
    touching = [query["sql"][:40] for query in captured if "workspace" in query["sql"].replace("workspaces_token", "")]
    assert [sql for sql in touching if not sql.startswith("SELECT")] == ['INSERT INTO "workspaces_auditentry" ("id']
