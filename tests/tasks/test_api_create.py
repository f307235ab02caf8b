"""Tasks are made by REST, and what does not go together is refused."""

from typing import Any

import pytest

from badgerjobs.runs.models import Runnable
from tasks.models import CacheKey, Task
from tests.callers import Caller
from tests.factories import make_key, make_source
from tests.in_turn import in_turn
from tests.tasks.rest_tasks import ON_DEMAND, WEBHOOK


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


@in_turn(
    "given, field, said",
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
        ({"pattern": "a-{{ID}}"}, "pattern", "Only a task of the type webhook has {{ID}}"),
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


def test_a_tag_is_taken_once(alice: Caller, charlie: Caller) -> None:
    assert [caller.post("/tasks/", ON_DEMAND).status for caller in (alice, alice, charlie)] == [201, 409, 201]
