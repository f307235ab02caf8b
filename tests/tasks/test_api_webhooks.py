"""The addresses of webhook tasks by REST: given, kept from readers, rotated."""

from badgerjobs.runs.models import Cause, Run
from badgerjobs.workspaces.models import Scope
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


def test_a_rotation_that_is_sent_twice_is_done_once(alice: Caller) -> None:
    alice.post("/tasks/", WEBHOOK)
    first, second = (alice.post("/tasks/t/rotate-webhook/", Idempotency_Key="once") for _ in range(2))
    assert second.headers["Idempotent-Replay"] == "true"
    assert first.body["webhook_url"] == second.body["webhook_url"] == alice.get("/tasks/t/").body["webhook_url"]
