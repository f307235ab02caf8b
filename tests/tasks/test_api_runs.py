"""Tasks are run and retried by REST, and what they did is read in their log."""

from uuid import uuid4

import pytest

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.models import Run, State
from tasks.models import CacheKey
from tests.callers import Caller
from tests.factories import make_run, make_sync, make_task
from tests.tasks.rest_tasks import ON_DEMAND, WEBHOOK


@pytest.mark.parametrize("enabled", [True, False])
def test_a_task_runs_by_hand_enabled_or_not(alice: Caller, enabled: bool) -> None:
    alice.post("/tasks/", {**ON_DEMAND, "enabled": enabled})
    answer = alice.post("/tasks/t/run/")
    assert (answer.status, answer.body["cause"], answer.body["state"]) == (202, "manual", "queued")
    assert Run.objects.get().input is None


def test_a_webhook_task_is_run_with_an_example(alice: Caller) -> None:
    alice.post("/tasks/", WEBHOOK)
    assert alice.post("/tasks/t/run/", {"body": {"id": "\u0000"}, "headers": {"X-Topic": "a"}}).status == 202
    assert Run.objects.get().input == {"body": {"id": "\ufffd"}, "headers": {"x-topic": "a"}}
    alice.post("/tasks/t/run/", {"body": None})
    assert Run.objects.latest("number").input == {"body": None, "headers": {}}
    assert alice.post("/tasks/t/run/", {"body": "x" * 1_000_000}).errors["body"][0].startswith("The body has 1,000,002")
    alice.post("/tasks/", {**ON_DEMAND, "tag": "other"})
    assert "Only a webhook task" in alice.post("/tasks/other/run/", {"body": 1}).errors["body"][0]


def test_only_the_keys_that_failed_are_fetched_again(alice: Caller, keys: list[CacheKey]) -> None:
    task = make_task(alice.application, "t")
    run = make_run(task.runnable, State.FAILED, number=3)
    make_sync(run, keys[0], "failed")
    answer = alice.post("/tasks/t/retry/", {"run": str(run.pk)})
    assert answer.status == 202
    made = Run.objects.get(pk=answer.body["id"])
    assert (made.input, made.runnable_id) == ({"syncs_of": str(run.pk)}, task.runnable_id)
    again = alice.post("/tasks/t/retry/", {"run": str(run.pk)})
    assert again.status == 409
    assert "are being fetched again already" in again.body["detail"]


def test_keys_that_no_run_will_fetch_any_more_can_be_fetched_again(alice: Caller, keys: list[CacheKey]) -> None:
    run = make_run(make_task(alice.application, "t").runnable, State.ABORTED, number=3)
    make_sync(run, keys[0], "waiting")
    assert alice.post("/tasks/t/retry/", {"run": str(run.pk)}).status == 202


@pytest.mark.parametrize(
    ("state", "sync", "said"),
    [
        (State.RUNNING, "failed", "Run 3 is running: when it is over"),
        (State.SUCCEEDED, "succeeded", "No key failed in run 3"),
    ],
)
def test_there_must_be_something_to_retry(
    alice: Caller, keys: list[CacheKey], state: State, sync: str, said: str
) -> None:
    run = make_run(make_task(alice.application, "t").runnable, state, number=3)
    make_sync(run, keys[0], sync)
    answer = alice.post("/tasks/t/retry/", {"run": str(run.pk)})
    assert answer.status == 409
    assert said in answer.body["detail"]


def test_a_run_of_another_task_cannot_be_retried(alice: Caller, charlie: Caller) -> None:
    make_task(alice.application, "t")
    for run in (make_run(make_task(alice.application, "u").runnable, State.FAILED),
                make_run(make_task(charlie.application, "t").runnable, State.FAILED)):  # fmt: skip
        answer = alice.post("/tasks/t/retry/", {"run": str(run.pk)})
        assert answer.errors == {"run": ["This task has no run with this id."]}
    assert alice.post("/tasks/t/retry/", {"run": str(uuid4())}).status == 400


def test_the_log_of_a_task_is_listed_and_narrowed(alice: Caller, keys: list[CacheKey]) -> None:
    task = make_task(alice.application, "t")
    runs = [make_run(task.runnable, State.FAILED, pk=uuid7()) for _ in range(2)]
    for run in runs:
        make_sync(run, keys[0])
        make_sync(run, keys[1], "failed", error_class="status", error="The source answered 500.")
    make_sync(make_run(make_task(alice.application, "u").runnable), keys[0])
    rows = alice.get("/tasks/t/syncs/").body["results"]
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    assert len(rows) == 4

    def listed(query: str) -> int:
        return len(alice.get(f"/tasks/t/syncs/?{query}").body["results"])

    assert listed("state=failed") == 2
    assert listed(f"run={runs[0].pk}&key=product-1") == 1
    assert listed("key=product") == 0
    assert len(alice.walk("/tasks/t/syncs/?limit=3")) == 4
    assert alice.get("/tasks/t/syncs/?run=x").errors == {"run": ["“x” is not the id of a run."]}
    assert alice.get("/tasks/t/syncs/?state=x").status == 400
