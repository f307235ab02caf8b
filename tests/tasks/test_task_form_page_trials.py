"""The pattern and the transform of a task, tried in its form."""

import json

import pytest

from badgerjobs.lib.javascript import Error, Result
from badgerjobs.runs.models import Run
from badgerjobs.workspaces.models import Application
from tasks.models import Task
from tasks.pattern_matches import goes_on
from tasks.trials import NO_ROOM
from tests.callers import caller_for
from tests.tasks.task_form_page import at, part, send
from tests.tasks.task_pages import text_of


def test_a_pattern_is_tested_before_it_is_saved(shop: Application, products: list[str]) -> None:
    answer = part(shop, "try-pattern", "tested", pattern="product-1")
    assert json.loads(answer.context["pattern_trial"].as_json) == products[:4]
    page = text_of(answer)
    assert "4 keys" in page
    assert "“product-1” also takes “product-10”." in page
    assert "“product-1-”" in page
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("selection", "pattern", "warns"),
    [
        ("contains", "product-1", True),
        ("prefix", "product-1", True),
        ("contains", "product-", False),
        ("contains", "product-12", False),
        ("glob", "product-1*", False),
    ],
)
def test_it_warns_where_a_number_goes_on(
    shop: Application, products: list[str], selection: str, pattern: str, warns: bool
) -> None:
    answer = part(shop, "try-pattern", "tested", selection=selection, pattern=pattern)
    assert bool(answer.context["pattern_trial"].warning) == warns


@pytest.mark.parametrize(
    ("pattern", "name", "does"),
    [("a-1", "a-11", True), ("a-1", "a-1", False), ("a-1", "a-1-a-12", True), ("a-1", "a-1-2", False)],
)
def test_a_number_goes_on_where_a_digit_follows_any_of_its_places(pattern: str, name: str, does: bool) -> None:
    assert goes_on(pattern, name) is does


def test_a_pattern_with_variables_has_a_field_for_each(shop: Application, products: list[str]) -> None:
    hook = {"type": "webhook", "pattern": "{{KIND}}-{{ID}}"}
    answer = part(shop, "try-pattern", "tested", **hook)
    assert "Give a value for KIND and ID" in text_of(answer)
    assert [one.field for one in answer.context["pattern_trial"].fields] == ["variable:KIND", "variable:ID"]
    answer = part(shop, "try-pattern", "tested", **hook, **{"variable:KIND": "product", "variable:ID": "12"})
    assert "As pattern: product-12" in text_of(answer)
    assert answer.context["pattern_trial"].names == ["product-12"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"pattern": ""}, "There is no pattern yet"),
        ({"selection": "exact"}, "Choose first how a pattern matches."),
        ({"selection": "nonsense"}, "Choose first how a pattern matches."),
        ({"pattern": "a-{{b"}, ""),
        ({"pattern": "nobody-has-this"}, "0 keys"),
    ],
)
def test_what_cannot_be_tested_says_why(shop: Application, given: dict[str, str], words: str) -> None:
    assert words in text_of(part(shop, "try-pattern", "tested", **given))


def test_a_pattern_is_tested_without_scripts(shop: Application, products: list[str]) -> None:
    page = text_of(send(shop, at(shop, "try-pattern"), pattern="product-1"))
    assert "4 keys" in page
    assert "Create the task" in page


def test_a_transform_is_tried_with_what_it_fills_beside_it(shop: Application, products: list[str]) -> None:
    answer = part(
        shop, "try-webhook", "transformed", type="webhook", pattern="product-{{ID}}",
        transform="console.log(headers['x-topic']); return {variables: [{key: 'ID', value: body.id}]}",
        sample='{"id": 12}', sample_headers='{"X-Topic": "products"}',
    )  # fmt: skip
    page = text_of(answer)
    assert answer.context["trial"].variables == {"ID": "12"}
    assert "As pattern: product-12" in page
    assert "1 key" in page
    assert "log products" in page
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sample": "{"}, "Example body: This is no JSON."),
        ({"sample_headers": "[1]"}, "Headers are an object"),
        ({"transform": "return body.no.such"}, "The transform failed"),
        ({"transform": "return 1"}, "The transform must return an object"),
        ({"transform": "return {variables: {}}"}, "Give a value for ID"),
    ],
)
def test_what_came_of_no_transform_says_why(shop: Application, given: dict[str, str], words: str) -> None:
    answer = part(shop, "try-webhook", "transformed", type="webhook", pattern="product-{{ID}}", **given)
    assert words in text_of(answer)


def test_transforms_are_tried_from_the_form_and_by_rest_so_often_together(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.trials.PER_MINUTE", 2)
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    given = {"transform": "return {variables: {}}"}
    assert caller_for(shop).post("/tasks/try-transform/", given).status == 200
    answers = [part(shop, "try-webhook", "transformed", type="webhook", pattern="a", **given) for _ in range(2)]
    assert ["times a minute at most" in text_of(answer) for answer in answers] == [False, True]
    assert caller_for(shop).post("/tasks/try-transform/", given).status == 429


def test_patterns_are_tried_from_the_form_and_by_rest_so_often_together(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.trials.PER_MINUTE", 2)
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    assert caller_for(shop).post("/tasks/test-pattern/", {"pattern": "a"}).status == 200
    answers = [part(shop, "try-pattern", "tested", pattern="a") for _ in range(2)]
    assert ["times a minute at most" in text_of(answer) for answer in answers] == [False, True]
    assert caller_for(shop).post("/tasks/test-pattern/", {"pattern": "a"}).status == 429


def test_a_pattern_with_a_null_character_is_told_so(shop: Application) -> None:
    assert "No name has null characters" in text_of(part(shop, "try-pattern", "tested", pattern="a\0"))


def test_a_sandbox_without_room_is_told_alike_in_the_form_and_by_rest(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.webhook_variables.javascript.run", lambda *_, **__: Result(error=Error("busy", "Full.")))
    given = {"transform": "return {variables: {}}"}
    told = text_of(part(shop, "try-webhook", "transformed", type="webhook", pattern="a", **given))
    assert NO_ROOM in told
    assert caller_for(shop).post("/tasks/try-transform/", given).body["detail"].startswith(NO_ROOM)
