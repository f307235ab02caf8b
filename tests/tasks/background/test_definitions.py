"""What the decorators make of a function or a class, and where it is found again."""

import sys
from pathlib import Path
from typing import Any

import pytest
from rest_framework import serializers

from tasks.background import background_task, definitions, private_background_task
from tasks.background.calling import called
from tasks.background.definitions import (
    Definition,
    Registry,
    definition_of,
    id_of,
    load,
    public_definitions,
)

PLAIN = {"id": "syncArticles", "title": "Sync articles"}


class Rows(serializers.Serializer[Any]):
    rows = serializers.IntegerField()


def defined(registry: Registry) -> Definition:
    assert registry.problems == []
    (definition,) = registry.by_id.values()
    return definition


def test_a_function_is_a_task_with_the_documented_defaults(registry: Registry) -> None:
    @background_task(id="syncArticles", title="Sync articles")
    def sync(params: Any) -> Any:
        return params

    definition = defined(registry)
    assert definition_of("syncArticles") is definition
    assert (definition.title, definition.description, definition.is_private) == ("Sync articles", "", False)
    assert (definition.max_iterations, definition.database_logs, definition.self_cleanup) == (500, True, frozenset())
    assert (definition.timeout_s, definition.retries, definition.retry_step_s, definition.backoff) == (
        900,
        0,
        10,
        "incremental",
    )
    assert (definition.input_class, definition.retention_days, definition.concurrency, definition.deduplicate) == (
        None,
        None,
        None,
        None,
    )
    assert definition.run("params") == "params"
    assert dict(definition.hooks) == {}
    assert definition.hook("on_done") is None
    assert definition.policy.retries == 0
    assert sync("itself") == "itself"


def test_a_class_brings_its_hooks_and_is_made_anew_for_each_call(registry: Registry) -> None:
    @private_background_task(
        id="syncArticles",
        title="Sync articles",
        description="Of the shop.",
        max_iterations=1000,
        input=Rows,
        database_logs=False,
        retention_days=0,
        timeout_s=60,
        retries=5,
        retry_step_s=30,
        backoff="exponential",
        concurrency=2,
        deduplicate=lambda given: str(given["rows"]),
    )
    class Sync:
        def __init__(self) -> None:
            self.calls = 0

        def run(self, params: Any) -> Any:
            self.calls += 1
            return self.calls, params

        async def on_done(self, context: Any, task: Any) -> Any:
            return context, task

        @staticmethod
        def on_error(context: Any, task: Any) -> Any:
            return task, context

    definition = defined(registry)
    assert definition.is_private
    assert definition.description == "Of the shop."
    assert (definition.max_iterations, definition.input_class, definition.database_logs) == (1000, Rows, False)
    assert (definition.retention_days, definition.timeout_s, definition.concurrency) == (0, 60, 2)
    assert (definition.policy.retries, definition.policy.step_s, definition.policy.backoff) == (5, 30, "exponential")
    assert definition.deduplicate is not None
    assert definition.deduplicate({"rows": 3}) == "3"
    assert [definition.run("params"), definition.run("params")] == [(1, "params")] * 2
    assert set(definition.hooks) == {"on_done", "on_error"}
    assert called(definition.hooks["on_done"], "context", "task") == ("context", "task")
    assert called(definition.hooks["on_error"], "context", "task") == ("task", "context")
    assert Sync().run(1) == (1, 1)


def test_a_function_is_given_its_hooks_by_name(registry: Registry) -> None:
    def stop(context: Any, input: Any) -> None:  # noqa: A002
        raise ValueError

    @background_task(id="syncArticles", title="Sync articles", on_before_trigger=stop)
    async def sync(params: Any) -> Any:
        return params

    definition = defined(registry)
    assert definition.hook("on_before_trigger") is stop
    assert called(definition.run, 3) == 3


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("never", set()),
        ("always", {"done", "error", "abort"}),
        ("onSuccess", {"done"}),
        ("onError", {"error"}),
        (["onError", "onAbort"], {"error", "abort"}),
        ((), set()),
    ],
)
def test_what_cleans_up_after_itself_keeps_no_logs(words: Any, kept: set[str], registry: Registry) -> None:
    background_task(id="syncArticles", title="Sync articles", self_cleanup=words)(print)

    definition = defined(registry)
    assert definition.self_cleanup == kept
    assert definition.database_logs is not bool(kept)


def test_private_ones_are_found_and_not_listed_among_the_public(registry: Registry) -> None:
    for name in ("second", "first"):
        background_task(id=name, title=name)(print)
    private_background_task(id="hidden", title="Hidden")(print)

    assert [definition.id for definition in public_definitions()] == ["first", "second"]
    assert [definition.id for definition in definitions.definitions()] == ["first", "hidden", "second"]
    assert definition_of("hidden") is not None
    assert definition_of("nobody") is None


def test_the_first_of_two_with_one_id_stays_and_the_second_is_a_problem(registry: Registry) -> None:
    @background_task(id="syncArticles", title="First")
    def first(params: Any) -> None: ...

    @background_task(id="syncArticles", title="Second")
    def second(params: Any) -> None: ...

    assert registry.by_id["syncArticles"].title == "First"
    place = f"{__name__}.test_the_first_of_two_with_one_id_stays_and_the_second_is_a_problem.<locals>"
    assert registry.problems == [f'{place}.second: there is a task with the ID "syncArticles" already: {place}.first.']


def test_a_task_is_named_by_its_id_itself_or_what_was_decorated(registry: Registry) -> None:
    @background_task(id="syncArticles", title="Sync articles")
    class Sync:
        def run(self, params: Any) -> None: ...

    class Other(Sync):
        pass

    assert [id_of(named) for named in ("syncArticles", Sync, registry.by_id["syncArticles"])] == ["syncArticles"] * 3
    for nobody in (Other, None, 3, len):
        with pytest.raises(TypeError, match="is named by its ID"):
            id_of(nobody)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes modules that can be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, text: str) -> str:
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    yield write
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)


DEFINES = """
from tasks.background import background_task

@background_task(id="{id}", title="Of a package")
def run(params):
    return params.response.done()
"""


def test_what_is_named_is_imported_and_its_tasks_are_there(package: Any, registry: Registry) -> None:
    load([package("acme_tasks", DEFINES.format(id="ofAcme")), package("more_tasks", DEFINES.format(id="ofMore"))])

    assert set(registry.by_id) == {"ofAcme", "ofMore"}
    assert registry.by_id["ofAcme"].where == "acme_tasks.run"
    assert registry.problems == registry.warnings == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def", "SyntaxError: invalid syntax (bad_tasks.py, line 1)"),
        ("raise ValueError", "ValueError"),
    ],
)
def test_one_that_cannot_be_imported_is_a_problem_and_keeps_no_other_out(
    text: str, why: str, package: Any, registry: Registry
) -> None:
    load([package("bad_tasks", text), package("acme_tasks", DEFINES.format(id="ofAcme"))])

    assert registry.problems == [f"BACKGROUND_TASKS: 'bad_tasks' cannot be imported: {why}"]
    assert set(registry.by_id) == {"ofAcme"}


@pytest.mark.parametrize("name", ["no_module_of_this_name", "..", "", "tasks background", ".relative"])
def test_a_name_that_leads_nowhere_is_a_problem(name: str, registry: Registry) -> None:
    load([name])

    (problem,) = registry.problems
    assert problem.startswith(f"BACKGROUND_TASKS: {name!r} cannot be imported: ")


def test_a_package_whose_only_definition_is_wrong_is_told_of_that_alone(package: Any, registry: Registry) -> None:
    load([package("wrong_tasks", DEFINES.format(id="no good"))])

    (problem,) = registry.problems
    assert problem.startswith('wrong_tasks.run: Task ID "no good" is invalid.')
    assert registry.warnings == []


def test_a_package_in_which_nothing_is_defined_is_worth_a_warning(package: Any, registry: Registry) -> None:
    load([package("empty_tasks", "")])

    assert registry.problems == []
    assert registry.warnings == ["BACKGROUND_TASKS: 'empty_tasks' defines no background task."]
