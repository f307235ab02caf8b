"""Tasks are changed, replaced and deleted by REST."""

from badgerjobs.runs.models import Runnable
from tasks.models import CacheKey, Task
from tests.callers import Caller
from tests.tasks.rest_tasks import ON_DEMAND, TRANSFORM, WEBHOOK
from webhooks.models import Hook


def test_a_type_is_changed_freely_and_what_does_not_fit_is_emptied(alice: Caller) -> None:
    path = alice.post("/tasks/", WEBHOOK).body["webhook_url"]
    now_scheduled = alice.patch(
        "/tasks/t/", {"type": "scheduled", "preset": "daily", "pattern": "product-", "max_runs": 3}
    )
    assert now_scheduled.status == 200
    assert (now_scheduled.body["transform"], now_scheduled.body["webhook_url"]) == ("", None)
    assert now_scheduled.body["next_run_at"]
    assert Caller().post(path, {}).status == 404
    on_demand = alice.patch("/tasks/t/", {"type": "on_demand"})
    assert [on_demand.body[name] for name in ("preset", "next_run_at", "max_runs")] == [None, None, None]
    again = alice.patch("/tasks/t/", {"type": "webhook", "transform": TRANSFORM})
    assert again.body["webhook_url"] not in {None, path}
    assert Caller().post(again.body["webhook_url"], {}).status == 202
    assert Hook.objects.count() == 1


def test_a_scheduled_task_that_becomes_a_webhooks_queues_them_all(alice: Caller) -> None:
    alice.post("/tasks/", {**ON_DEMAND, "type": "scheduled", "preset": "daily"})
    assert alice.patch("/tasks/t/", {"type": "webhook"}).body["overlap"] == "queue_all"
    assert alice.patch("/tasks/t/", {"overlap": "allow"}).body["overlap"] == "allow"
    assert alice.patch("/tasks/t/", {"name": "N"}).body["overlap"] == "allow"


def test_a_pattern_with_placeholders_does_not_stay_when_nobody_fills_it_any_more(alice: Caller) -> None:
    alice.post("/tasks/", WEBHOOK)
    answer = alice.patch("/tasks/t/", {"type": "on_demand"})
    assert "Only a task of the type webhook has {{ID}}" in answer.errors["pattern"][0]


def test_a_selection_is_changed_by_what_is_given(alice: Caller, keys: list[CacheKey]) -> None:
    alice.post("/tasks/", {**ON_DEMAND, "selection": "prefix"})
    exact = alice.patch("/tasks/t/", {"keys": ["product-1"]})
    assert [exact.body[name] for name in ("selection", "pattern", "keys")] == ["exact", "", ["product-1"]]
    same = alice.patch("/tasks/t/", {"name": "N", "keys": None})
    assert same.body["keys"] == ["product-1"]
    others = alice.patch("/tasks/t/", {"keys": ["category-1", "product-2-de"]})
    assert others.body["keys"] == ["category-1", "product-2-de"]
    glob = alice.patch("/tasks/t/", {"selection": "glob", "pattern": "*"})
    assert [glob.body[name] for name in ("selection", "pattern", "keys")] == ["glob", "*", []]
    assert Task.objects.get().keys.count() == 0


def test_what_was_read_can_be_sent_back(alice: Caller, keys: list[CacheKey]) -> None:
    for task in (
        {**WEBHOOK, "retries": 0},
        {"tag": "u", "type": "on_demand", "keys": ["product-1"]},
        {"tag": "v", "type": "scheduled", "run_every": "PT1H", "pattern": "a", "catch_up": "none", "spread": "PT5M"},
        {"tag": "w", "type": "on_demand", "pattern": "a", "enabled": False, "pause_reason": "Summer"},
    ):
        made = alice.post("/tasks/", task)
        assert made.status == 201
        for again in (alice.put, alice.patch):
            answer = again(f"/tasks/{task['tag']}/", made.body)
            assert answer.status == 200, answer.body
            assert {**answer.body, "updated_at": made.body["updated_at"]} == made.body


def test_a_put_makes_a_task_or_takes_the_place_of_one(alice: Caller, keys: list[CacheKey]) -> None:
    given = {"type": "scheduled", "preset": "daily", "keys": ["product-1"], "priority": 5}
    assert [alice.put("/tasks/t/", given).status for _ in range(2)] == [201, 200]
    answer = alice.put("/tasks/t/", {"type": "on_demand", "pattern": "x"})
    assert [answer.body[name] for name in ("keys", "priority", "preset", "selection")] == [[], 50, None, "contains"]
    assert alice.put("/tasks/t/", {"pattern": "x"}).errors["type"]


def test_a_task_is_deleted_and_its_keys_stay(alice: Caller, keys: list[CacheKey]) -> None:
    alice.post("/tasks/", {"tag": "t", "type": "on_demand", "keys": ["product-1"]})
    assert alice.delete("/tasks/t/").status == 204
    assert (Task.objects.count(), Runnable.objects.count(), CacheKey.objects.count()) == (0, 0, 4)
