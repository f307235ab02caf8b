"""Patterns and transforms are tried out by REST, before there is a task."""

import json
from typing import Any

import pytest

from badgerjobs.runs.models import Run
from badgerjobs.workspaces.models import Scope
from tasks.models import CacheKey
from tests.callers import Caller, caller_for
from tests.tasks.rest_tasks import TRANSFORM


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
