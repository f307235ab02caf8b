"""The addresses of webhook tasks by REST: given, kept from readers, rotated."""

import pytest

from badgerjobs.runs.models import Cause, Run
from badgerjobs.workspaces.models import AuditEntry, Scope
from tests.callers import Caller, caller_for
from tests.tasks.rest_tasks import ON_DEMAND, WEBHOOK


def test_a_webhook_task_has_an_address_that_takes_bodies_and_queues_them_all(alice: Caller) -> None:
    made = alice.post("/tasks/", WEBHOOK)
    assert (made.status, made.body["overlap"], made.body["schedule"]) == (201, "queue_all", "by its webhook")
    taken = [Caller().post(made.body["webhook_url"], {"id": n}) for n in (1, 2)]
    assert [answer.status for answer in taken] == [202, 202]
    assert [run.cause for run in Run.objects.all()] == [Cause.WEBHOOK] * 2
    assert alice.get("/tasks/t/").body["webhook_url"] == made.body["webhook_url"]
    [row] = alice.get("/tasks/").body["results"]
    assert row["webhook_url"] is None


def test_who_may_only_read_is_not_told_the_address_which_is_a_secret(alice: Caller) -> None:
    alice.post("/tasks/", WEBHOOK)
    reader = caller_for(alice.application, scopes=[Scope.READ])
    assert reader.get("/tasks/t/").body["webhook_url"] is None


def test_a_rotated_address_takes_the_place_of_the_one_before(alice: Caller) -> None:
    before = alice.post("/tasks/", WEBHOOK).body["webhook_url"]
    after = alice.post("/tasks/t/rotate-webhook/").body["webhook_url"]
    assert before != after == alice.get("/tasks/t/").body["webhook_url"]
    assert [Caller().post(where, {}).status for where in (before, after)] == [404, 202]
    alice.post("/tasks/", {**ON_DEMAND, "tag": "other"})
    assert alice.post("/tasks/other/rotate-webhook/").status == 409


def test_a_rotated_address_works_for_as_long_as_is_said(alice: Caller) -> None:
    before = alice.post("/tasks/", WEBHOOK).body["webhook_url"]
    after = alice.post("/tasks/t/rotate-webhook/", {"overlap_s": 60}).body["webhook_url"]
    assert [Caller().post(where, {}).status for where in (before, after)] == [202, 202]
    [entry] = AuditEntry.objects.filter(action="task.rotate")
    assert list(entry.changes) == ["the address before leads here until"]


@pytest.mark.parametrize("given", [{"overlap_s": 7 * 86_400 + 1}, {"overlap_s": -1}, {"overlap": 60}])
def test_a_rotation_takes_nothing_else(alice: Caller, given: dict[str, int]) -> None:
    before = alice.post("/tasks/", WEBHOOK).body["webhook_url"]
    refused = alice.post("/tasks/t/rotate-webhook/", given)
    assert (refused.status, list(refused.errors)) == (400, list(given))
    assert alice.get("/tasks/t/").body["webhook_url"] == before


def test_a_rotation_that_is_sent_twice_is_done_once(alice: Caller) -> None:
    alice.post("/tasks/", WEBHOOK)
    first, second = (alice.post("/tasks/t/rotate-webhook/", Idempotency_Key="once") for _ in range(2))
    assert second.headers["Idempotent-Replay"] == "true"
    assert first.body["webhook_url"] == second.body["webhook_url"] == alice.get("/tasks/t/").body["webhook_url"]
