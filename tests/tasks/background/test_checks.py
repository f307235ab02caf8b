"""Every flaw of a definition is found at start, with all others, and in a sentence."""

import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework import serializers

from tasks.background import background_task, checks
from tasks.background.definitions import Registry

ROOT = Path(__file__).resolve().parents[3]
CAMEL = 'Task ID "{}" is invalid. It must be in camelCase format, for example: "myCustomTask".'

CLEANUPS = "self_cleanup must be one of always, never, onSuccess, onError, onAbort, or a list of the last three"
NO_HOOK = "there is no hook `on_finished`. There are on_before_trigger, on_done, on_error, on_abort, on_max_iterations."


def fine(params: Any) -> None: ...


def flaws_of(registry: Registry, target: Any = fine, **fields: Any) -> list[str]:
    """What is said of a definition, after its place."""
    given = {"id": "syncArticles", "title": "Sync articles", **fields}
    background_task(**{name: value for name, value in given.items() if value is not ...})(target)
    assert not (registry.problems and registry.by_id)
    return [problem.partition(": ")[2] for problem in registry.problems]


def test_what_is_right_passes(registry: Registry) -> None:
    assert flaws_of(registry) == []
    assert checks.every_definition_is_right() == []


def test_problems_stop_the_start_and_warnings_do_not(registry: Registry) -> None:
    registry.problems.append("One.")
    registry.warnings.append("Two.")

    assert [(found.msg, found.id, found.is_serious()) for found in checks.every_definition_is_right()] == [
        ("One.", "tasks.E002", True),
        ("Two.", "tasks.W001", False),
    ]
    with pytest.raises(CommandError, match=r"tasks\.E002\) One\."):
        call_command("check", verbosity=0)


@pytest.mark.parametrize(
    "name",
    ["my-custom-task", "MyTask", "my_task", "my task", "", "taskHTML", "task1a", "größe", "дом", " task", "1Task"],
)
def test_an_id_is_its_own_camel_case(name: str, registry: Registry) -> None:
    assert flaws_of(registry, id=name) == [CAMEL.format(name)]


@pytest.mark.parametrize("name", ["x", "myCustomTask", "getAThing", "task2", "task1st", "sync2Articles"])
def test_ids_that_are_right(name: str, registry: Registry) -> None:
    assert flaws_of(registry, id=name) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"id": ...}, 'it needs an id, for example: id="myCustomTask".'),
        ({"id": 3}, CAMEL.format(3)),
        ({"id": "true"}, 'Task ID "true" is invalid. GraphQL reserves it: choose another one.'),
        ({"id": "x" * 101}, f'Task ID "{"x" * 20}…" is invalid. It must have at most 100 characters.'),
        ({"title": ...}, "it needs a title, which is what people read."),
        ({"title": " "}, "it needs a title, which is what people read."),
        ({"title": "x" * 201}, "its title must have at most 200 characters, and no null character."),
        ({"title": "x\0"}, "its title must have at most 200 characters, and no null character."),
        (
            {"description": None},
            "its description must be a text of at most 2,000 characters, with no null character.",
        ),
        ({"max_iterations": 0}, "max_iterations must be a whole number from 1 to 30,000, and is 0."),
        ({"max_iterations": 30_001}, "max_iterations must be a whole number from 1 to 30,000, and is 30001."),
        ({"max_iterations": None}, "max_iterations must be a whole number from 1 to 30,000, and is None."),
        ({"max_iterations": True}, "max_iterations must be a whole number from 1 to 30,000, and is True."),
        ({"max_iterations": "9"}, "max_iterations must be a whole number from 1 to 30,000, and is '9'."),
        ({"timeout_s": 0}, "timeout_s must be a number of seconds from 1 to 86,400, and is 0."),
        ({"timeout_s": float("nan")}, "timeout_s must be a number of seconds from 1 to 86,400, and is nan."),
        ({"retry_step_s": 0}, "retry_step_s must be a number of seconds from 1 to 86,400, and is 0."),
        ({"retries": 51}, "retries must be a whole number from 0 to 50, and is 51."),
        ({"backoff": "list"}, "backoff must be one of incremental, exponential, polynomial, and is 'list'."),
        ({"backoff": []}, "backoff must be one of incremental, exponential, polynomial, and is []."),
        ({"concurrency": 0}, "concurrency must be a whole number from 1 to 10,000, or None, and is 0."),
        ({"retention_days": -1}, "retention_days must be a whole number from 0 to 3,650, or None, and is -1."),
        ({"database_logs": 1}, "database_logs must be True or False, and is 1."),
        (
            {"self_cleanup": "onDone"},
            f"{CLEANUPS}, and is 'onDone'.",
        ),
        (
            {"self_cleanup": ["always"]},
            f"{CLEANUPS}, and is ['always'].",
        ),
        (
            {"self_cleanup": 3},
            f"{CLEANUPS}, and is 3.",
        ),
        ({"input": dict}, "input must be a class of serializers, or a pydantic model's, and is <class 'dict'>."),
        ({"input": "Rows"}, "input must be a class of serializers, or a pydantic model's, and is 'Rows'."),
        ({"deduplicate": "key"}, "`deduplicate` must be a function deduplicate(input)."),
        ({"deduplicate": lambda: ""}, "`deduplicate` must take input: deduplicate(input)."),
        ({"on_done": len}, "`on_done` must take context and task: on_done(context, task)."),
        ({"on_done": 3}, "`on_done` must be a function on_done(context, task)."),
        (
            {"on_finished": fine},
            NO_HOOK,
        ),
    ],
)
def test_a_field_that_is_wrong_is_said(fields: dict[str, Any], said: str, registry: Registry) -> None:
    assert flaws_of(registry, **fields) == [said]


def test_an_instance_of_a_serializer_is_no_class(registry: Registry) -> None:
    (said,) = flaws_of(registry, input=serializers.Serializer())
    assert said.startswith("input must be a class of serializers")


def test_a_field_that_there_is_not_is_named_beside_those_that_there_are(registry: Registry) -> None:
    (said,) = flaws_of(registry, maxIterations=3)
    assert said.startswith("there is no field `maxIterations`. There are id, title, description, max_iterations, ")


def test_all_that_is_wrong_with_one_is_said_at_once(registry: Registry) -> None:
    assert len(flaws_of(registry, lambda: None, id="a-b", title="", max_iterations=0)) == 4


class Unmade:
    def __init__(self, shop: str) -> None: ...

    def run(self, params: Any) -> None: ...


class NoRun:
    pass


class NoParams:
    def run(self) -> None: ...


class Fixed:
    run = 3


class Finished:
    def run(self, params: Any) -> None: ...
    def on_finished(self, context: Any, task: Any) -> None: ...


class HalfHook:
    def run(self, params: Any) -> None: ...
    def on_abort(self, context: Any) -> None: ...


async def steps(params: Any) -> Any:
    yield


class Steps:
    def run(self, params: Any) -> Any:
        yield params


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (lambda: None, "`run` must take params: run(params)."),
        (setattr, "`run` must take params: run(params)."),
        (steps, "`run` must return once, and not yield."),
        (Steps, "`run` must return once, and not yield."),
        (3, "it must be a function, or a class with a method `run`."),
        (functools.partial(fine), "it must be a function, or a class with a method `run`."),
        (Unmade, "its class must be made without arguments: give `__init__` none, or defaults."),
        (NoRun, "its class has no method `run(self, params)`."),
        (NoParams, "`run` must take params: run(params)."),
        (Fixed, "`run` must be a function run(params)."),
        (
            Finished,
            NO_HOOK,
        ),
        (HalfHook, "`on_abort` must take context and task: on_abort(context, task)."),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(type(value).__name__),
)
def test_code_that_could_not_be_called_is_said(target: Any, said: str, registry: Registry) -> None:
    assert flaws_of(registry, target) == [said]


def test_a_decorator_without_its_brackets_says_what_is_missing(registry: Registry) -> None:
    background_task(fine)  # type: ignore[call-arg]

    assert [problem.partition(": ")[2] for problem in registry.problems] == [
        'it needs an id, for example: id="myCustomTask".',
        "it needs a title, which is what people read.",
    ]


@pytest.mark.parametrize("command", ["check", "web", "worker", "beat"])
def test_nothing_starts_with_a_task_that_is_wrong(command: str, tmp_path: Path) -> None:
    (tmp_path / "wrong_tasks.py").write_text(
        "from tasks.background import background_task\n@background_task(id='a-b', title='')\ndef run(params): ...\n"
    )
    environment = {
        **os.environ,
        "BACKGROUND_TASKS": "wrong_tasks,nothing_of_this_name",
        "PYTHONPATH": str(tmp_path),
        "BADGERJOBS_DATA_DIR": str(tmp_path / "data"),
    }
    told = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), command], env=environment, capture_output=True, text=True, check=False
    )

    assert told.returncode != 0
    assert f"(tasks.E002) wrong_tasks.run: {CAMEL.format('a-b')}" in told.stderr
    assert "(tasks.E002) wrong_tasks.run: it needs a title, which is what people read." in told.stderr
    assert (
        "(tasks.E002) BACKGROUND_TASKS: 'nothing_of_this_name' cannot be imported: ModuleNotFoundError" in told.stderr
    )
    assert "Traceback" not in told.stderr
