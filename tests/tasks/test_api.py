"""Tasks by REST: made, changed, run, retried and tried out."""

import json
from typing import Any
from uuid import uuid4

import pytest

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.models import Cause, Run, Runnable, State
from badgerjobs.workspaces.models import AuditEntry, Scope
from tasks.models import CacheKey, Task
from tests.callers import Caller, caller_for
from tests.factories import make_key, make_run, make_source, make_sync, make_task
from webhooks.models import Hook

TRANSFORM = "return {variables: [{key: 'ID', value: body.id}]}"
WEBHOOK = {"tag": "t", "type": "webhook", "pattern": "product-{{ID}}-", "transform": TRANSFORM}
ON_DEMAND = {"tag": "t", "type": "on_demand", "pattern": "product"}


@pytest.fixture
def keys(alice: Caller) -> list[CacheKey]:
    """Some keys to choose from."""
    source = make_source(alice.application)
    names = ("product-1", "product-11", "product-2-de", "category-1")
    return [make_key(source, name, tags=["shop"] if name.startswith("p") else []) for name in names]


def test_a_task_with_a_pattern_is_made_and_read(alice: Caller) -> None:
    made = alice.post("/tasks/", {**ON_DEMAND, "name": "Products"})
    assert made.status == 201
    assert {name: made.body[name] for name in ("tag", "name", "type", "selection", "pattern", "keys", "key_count")} == {
        "tag": "t", "name": "Products", "type": "on_demand", "selection": "contains", "pattern": "product", "keys": [],
        "key_count": None,
    }  # fmt: skip
    assert (made.body["enabled"], made.body["next_run_at"], made.body["webhook_url"]) == (True, None, None)
    assert (made.body["retry_policy"], made.body["retries"], made.body["retry_step"]) == ("incremental", 3, 10)
    assert alice.get("/tasks/t/").body == made.body


def test_exact_keys_are_named_each_once_and_read_in_order(alice: Caller, keys: list[CacheKey]) -> None:
    given = ["product-11", "product-1", "product-11"]
    made = alice.post("/tasks/", {"tag": "t", "type": "on_demand", "keys": given})
    assert (made.status, made.body["selection"], made.body["pattern"]) == (201, "exact", "")
    assert (made.body["keys"], made.body["key_count"]) == (["product-1", "product-11"], 2)
    [row] = alice.get("/tasks/").body["results"]
    assert (row["keys"], row["key_count"], row["transform"]) == (None, 2, "")


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (["x"], "There is no key “x” in this application."),
        (["x", "y"], "There are no keys “x” and “y” in this application."),
        (
            [f"x{n}" for n in range(9)],
            "There are no keys “x0”, “x1”, “x2”, “x3”, “x4” and 4 others in this application.",
        ),
    ],
    ids=["one", "two", "many"],
)
def test_keys_that_are_not_there_are_named(
    alice: Caller, charlie: Caller, keys: list[CacheKey], missing: list[str], said: str
) -> None:
    make_key(make_source(charlie.application), "x")
    answer = alice.post("/tasks/", {"tag": "t", "type": "on_demand", "keys": ["product-1", *missing]})
    assert (answer.status, answer.errors) == (400, {"keys": [said]})
    assert (Task.objects.count(), Runnable.objects.count()) == (0, 0)


def test_many_keys_are_named_in_as_many_statements_as_few(alice: Caller, django_assert_max_num_queries: Any) -> None:
    source = make_source(alice.application)
    rows = [
        CacheKey(application=alice.application, source=source, name=f"key-{n}", created_at=source.created_at,
                 updated_at=source.created_at)
        for n in range(2000)
    ]  # fmt: skip
    CacheKey.objects.bulk_create(rows)
    with django_assert_max_num_queries(45):
        made = alice.post("/tasks/", {"tag": "t", "type": "on_demand", "keys": [row.name for row in rows]})
    assert (made.status, made.body["key_count"]) == (201, 2000)


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"type": None}, "type", "null"),
        ({"type": "sometimes"}, "type", "none of on_demand, scheduled, webhook"),
        ({"pattern": ""}, "selection", "Give the keys that it fetches"),
        ({"selection": "contains", "pattern": ""}, "pattern", "To take every key, choose the selection glob, and *."),
        ({"selection": "exact"}, "pattern", "The selection exact has no pattern"),
        ({"selection": "exact", "pattern": ""}, "keys", "Give at least one key"),
        ({"keys": []}, "keys", None),
        ({"keys": ["a"], "selection": "prefix"}, "keys", "Keys are named by the selection exact alone"),
        ({"keys": "a"}, "keys", "Give a list of names"),
        ({"keys": [1], "pattern": ""}, "keys.0", "is a text of 1 to 400 characters"),
        ({"keys": ["\0"], "pattern": ""}, "keys.0", "is a text of 1 to 400 characters"),
        ({"pattern": "a\0"}, "pattern", "ull character"),
        ({"pattern": "x" * 501}, "pattern", "500 characters"),
        ({"pattern": "a-{{ID}}"}, "pattern", "Only a webhook fills in {{ID}}"),
        ({"transform": "return 1"}, "transform", "Only a webhook task has a transform"),
        ({"preset": "hourly"}, "preset", "Only a scheduled task has a schedule"),
        ({"run_every": "PT1H", "max_runs": 3}, "max_runs", "Only a scheduled task has a schedule"),
        ({"catch_up": "none"}, "catch_up", "Only a scheduled task has a schedule"),
        ({"type": "scheduled"}, "preset", "A scheduled task needs a schedule"),
        ({"type": "scheduled", "cron": "* *"}, "cron", "five fields"),
        ({**WEBHOOK, "transform": ""}, "transform", "The pattern asks for ID: give a transform that returns it."),
        ({**WEBHOOK, "transform": "return {"}, "transform", "SyntaxError"),
        ({**WEBHOOK, "pattern": "a-{{ID"}, "pattern", "is no placeholder: write {{CATEGORY_ID}}."),
        ({**WEBHOOK, "run_every": "PT1H"}, "run_every", "Only a scheduled task has a schedule"),
        ({**WEBHOOK, "overlap": "skip"}, "overlap", "No webhook is lost"),
        ({"tag": "test-pattern"}, "tag", "a word of the addresses themselves"),
        ({"tag": "a/b"}, "tag", "neither “/”"),
        ({"retries": 99}, "retries", "at most 50"),
        ({"schedul": 1}, "schedul", "There "),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused_with_a_way_out(
    alice: Caller, given: dict[str, Any], field: str, said: str | None
) -> None:
    answer = alice.post("/tasks/", {**ON_DEMAND, **given})
    if said is None:
        assert answer.status == 201
        return
    assert answer.status == 400
    assert said in answer.errors[field][0]
    assert Task.objects.count() == 0


def test_what_is_missing_is_asked_for(alice: Caller) -> None:
    answer = alice.post("/tasks/", {})
    assert answer.errors["type"] == ["Say what runs it: on_demand, scheduled or webhook."]
    answer = alice.post("/tasks/", {"type": "on_demand", "pattern": "a"})
    assert answer.errors["tag"] == ["Give it a tag, like “refresh-products”, or a name."]


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ({"preset": "hourly"}, "hour"),
        ({"preset": "daily"}, "08:00"),
        ({"preset": "weekly"}, "Tuesday"),
        ({"cron": "0 2 * * *", "time_zone": "Europe/Zurich"}, "Europe/Zurich"),
        ({"run_every": "PT15M"}, "15 minutes"),
    ],
    ids=["hourly", "daily", "weekly", "cron", "every"],
)
def test_a_scheduled_task_is_planned(alice: Caller, schedule: dict[str, Any], words: str) -> None:
    made = alice.post("/tasks/", {**ON_DEMAND, "type": "scheduled", **schedule})
    assert made.status == 201
    assert made.body["next_run_at"]
    assert words in made.body["schedule"]
    assert Runnable.objects.get().kind == "sync"


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
    assert "Only a webhook fills in {{ID}}" in answer.errors["pattern"][0]


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


def test_a_pattern_is_tried_out_before_there_is_a_task(alice: Caller, keys: list[CacheKey]) -> None:
    answer = alice.post("/tasks/test-pattern/", {"pattern": "product-1"})
    assert (answer.status, answer.body, answer.headers["X-Total-Count"]) == (200, ["product-1", "product-11"], "2")
    filled = {"pattern": "{{WHAT}}-1", "variables": {"WHAT": "category"}}
    assert alice.post("/tasks/test-pattern/", filled).body == ["category-1"]
    assert alice.post("/tasks/test-pattern/", {"pattern": ""}).headers["X-Total-Count"] == "4"
    assert alice.post("/tasks/test-pattern/", {"selection": "tag", "pattern": "shop"}).headers["X-Total-Count"] == "3"
    glob = {"selection": "glob", "pattern": "{{X}}*", "variables": {"X": "*"}}
    assert alice.post("/tasks/test-pattern/", glob).body == []
    reader = caller_for(alice.application, scopes=[Scope.READ])
    assert reader.post("/tasks/test-pattern/", {"pattern": "product-2"}).body == ["product-2-de"]


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"pattern": "a-{{ID}}"}, "pattern", "ID is not among the variables: there are none."),
        ({"pattern": "a-{{ID}}", "variables": {"ID": ""}}, "pattern", "ID is empty"),
        ({"pattern": "a-{{ID"}, "pattern", "is no placeholder"),
        ({"pattern": "a", "selection": "exact"}, "selection", "none of contains, prefix, glob, tag"),
        ({}, "pattern", "it is needed"),
        ({"pattern": "a", "variables": {"ID": {}}}, "variables.ID", "Give a string."),
    ],
)  # fmt: skip
def test_a_pattern_that_cannot_be_tried_is_told_why(
    alice: Caller, given: dict[str, Any], field: str, said: str
) -> None:
    answer = alice.post("/tasks/test-pattern/", given)
    assert answer.status == 400
    assert said in answer.errors[field][0]


def test_a_transform_is_tried_out_with_what_it_fills_and_finds(alice: Caller, keys: list[CacheKey]) -> None:
    given = {"transform": f"console.log('hm'); {TRANSFORM}", "body": {"id": 2}, "pattern": "product-{{ID}}-"}
    answer = alice.post("/tasks/try-transform/", given)
    assert answer.status == 200
    assert answer.body == {
        "ok": True, "error": None, "variables": {"ID": "2"}, "console": [{"level": "log", "text": "hm"}],
        "pattern": "product-2-", "names": ["product-2-de"], "total": 1,
    }  # fmt: skip
    assert Run.objects.count() == 0


def test_a_transform_that_fails_is_told_with_what_it_wrote(alice: Caller) -> None:
    given = {"transform": "console.log(1); return {variables: {ID: body.product.id}}", "body": {}}
    answer = alice.post("/tasks/try-transform/", given)
    assert (answer.body["ok"], answer.body["variables"]) == (False, None)
    assert "TypeError" in answer.body["error"]
    assert answer.body["console"] == [{"level": "log", "text": "1"}]
    unfilled = alice.post("/tasks/try-transform/", {"transform": "return {variables: {}}", "pattern": "{{ID}}"})
    assert unfilled.body["error"] == "ID is not among the variables: there are none."
    assert unfilled.body["variables"] == {}


def test_transforms_are_tried_so_often_and_no_more(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.trials.PER_MINUTE", 1)
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    given = {"transform": "return {variables: {}}"}
    assert [alice.post("/tasks/try-transform/", given).status for _ in range(2)] == [200, 429]


def test_patterns_are_tried_so_often_and_no_more(
    alice: Caller, charlie: Caller, keys: list[CacheKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.trials.PER_MINUTE", 1)
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    assert alice.post("/tasks/test-pattern/", {"pattern": "{{ID}}"}).status == 400
    answers = [alice.post("/tasks/test-pattern/", {"pattern": "*a*"}) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 429]
    assert "tries patterns" in answers[-1].body["detail"]
    assert charlie.post("/tasks/test-pattern/", {"pattern": "*a*"}).status == 200


@pytest.mark.parametrize(
    "code",
    ['return {variables: {ID: "a\\ud800"}}', 'return {variables: {"\\ud800": "\\0"}}', 'return {"\\ud800\\0": 1}'],
    ids=["value", "name", "no variables"],
)
def test_half_letters_that_a_transform_returns_are_told_as_far_as_they_can_be(alice: Caller, code: str) -> None:
    answer = alice.post("/tasks/try-transform/", {"transform": code, "pattern": "x-{{ID}}"})
    assert (answer.status, answer.body["ok"]) == (200, False)
    assert "\ufffd" in json.dumps(answer.body, ensure_ascii=False)


def test_tasks_are_listed_and_narrowed(alice: Caller) -> None:
    for tag, more in (
        ("a", {"pattern": "prices"}),
        ("b", {"enabled": False}),
        ("c", {"type": "scheduled", "preset": "daily"}),
    ):
        alice.post("/tasks/", {**ON_DEMAND, "tag": tag, **more})

    def listed(query: str) -> list[str]:
        return [row["tag"] for row in alice.get(f"/tasks/?{query}").body["results"]]

    assert listed("") == ["c", "b", "a"]
    assert listed("type=scheduled,webhook") == ["c"]
    assert listed("enabled=false") == ["b"]
    assert listed("search=PRICE") == ["a"]


def test_a_list_costs_as_many_queries_for_many_as_for_few(
    alice: Caller, django_assert_max_num_queries: Any, keys: list[CacheKey]
) -> None:
    for n in range(20):
        make_task(alice.application, f"t{n}", selection="exact", pattern="", keys=keys)
    with django_assert_max_num_queries(6) as captured:
        rows = alice.get("/tasks/").body["results"]
    assert [row["key_count"] for row in rows] == [4] * 20
    [counting] = [query["sql"] for query in captured if "tasks_taskkey" in query["sql"]]
    assert "GROUP BY" in counting  # those of all in one go, and not for each row of the list
    assert '"tasks_task"' not in counting


def test_what_is_done_with_tasks_is_in_the_audit_log(alice: Caller, keys: list[CacheKey]) -> None:
    alice.post("/tasks/", {"tag": "t", "type": "on_demand", "keys": ["product-1"]})
    alice.patch("/tasks/t/", {"keys": ["product-1", "product-11"], "name": "N"})
    alice.patch("/tasks/t/", {"name": "N"})
    alice.post("/tasks/t/run/")
    alice.delete("/tasks/t/")
    entries = {
        entry.action: entry.changes for entry in AuditEntry.objects.filter(action__startswith="task.").order_by("pk")
    }
    assert list(entries) == ["task.create", "task.update", "task.run", "task.delete"]
    assert entries["task.create"]["keys"] == [None, "1 key: product-1"]
    assert entries["task.update"] == {
        "name": ["t", "N"], "keys added": [None, ["product-11"]],
    }  # fmt: skip


def test_a_key_that_takes_the_place_of_another_is_in_the_audit_log_however_many_there_are(alice: Caller) -> None:
    source = make_source(alice.application)
    names = [make_key(source, f"product-{n:02}").name for n in range(31)]
    alice.post("/tasks/", {"tag": "t", "type": "on_demand", "keys": names[:30]})
    alice.patch("/tasks/t/", {"keys": [*names[:29], names[30]]})
    alice.patch("/tasks/t/", {"keys": [*names[:29], names[30]]})
    alice.patch("/tasks/t/", {"pattern": "product", "selection": "prefix"})
    swapped, emptied = AuditEntry.objects.filter(action="task.update").order_by("pk")
    assert swapped.changes == {"keys added": [None, ["product-30"]], "keys dropped": [None, ["product-29"]]}
    assert emptied.changes["keys dropped"] == [None, [*names[:20], "and 10 more"]]


def test_a_webhooks_secret_stands_not_in_the_audit_log(alice: Caller) -> None:
    secret = alice.post("/tasks/", WEBHOOK).body["webhook_url"].rpartition("/")[2]
    alice.post("/tasks/t/rotate-webhook/")
    assert secret not in str(list(AuditEntry.objects.values()))


def test_a_tag_is_taken_once(alice: Caller, charlie: Caller) -> None:
    assert [caller.post("/tasks/", ON_DEMAND).status for caller in (alice, alice, charlie)] == [201, 409, 201]
