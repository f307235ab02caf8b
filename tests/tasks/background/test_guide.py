"""The guide to background tasks: what it shows works as it stands, and what it lists is all there is."""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from badgerjobs.runs.models import Run
from badgerjobs.workspaces.models import Application
from tasks.background import errors, reading
from tasks.background.calling import called
from tasks.background.context import context_of
from tasks.background.definitions import Definition, Registry, load
from tasks.background.errors import BackgroundTaskError
from tasks.background.flaws import HOOKS
from tasks.background.params import Params
from tasks.background.preparing import CODE
from tasks.background.responses import Response
from tasks.background.services import trigger
from tasks.background.shipped import SHIPPED
from tasks.background.snapshot import BackgroundTask
from tasks.background.standing import STATUSES
from tasks.background.store import Store
from tests.factories import NOW
from tests.tasks.background.shipped.iterating import Iterations

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "background-tasks.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
PLAIN = re.sub(r"^```.*?^```", "", GUIDE, flags=re.DOTALL | re.MULTILINE)
NAMED = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", PLAIN))))

pytestmark = pytest.mark.django_db


@pytest.fixture
def guide(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The guide's code as a module that an installation would name in BACKGROUND_TASKS, beside what is shipped."""
    (tmp_path / "shop_tasks.py").write_text("\n".join(BLOCKS))
    monkeypatch.syspath_prepend(str(tmp_path))
    load(["shop_tasks"])
    assert (registry.problems, registry.warnings) == ([], [])
    yield sys.modules["shop_tasks"]
    del sys.modules["shop_tasks"]


def test_each_name_that_lists_are_narrowed_and_sorted_by_is_in_the_guide() -> None:
    with pytest.raises(BackgroundTaskError) as error:
        reading.conditions(Application(), {"nothing": 1})
    names = re.findall(r"\w+", error.value.message.partition("There are ")[2])
    assert {*reading.SORTS, *(name for name in names if name not in {"each", "also", "with", "and", "or"})} <= NAMED


def test_the_code_of_the_guide_defines_its_tasks(guide: ModuleType, registry: Registry) -> None:
    assert sorted(registry.by_id) == ["exportShelf", "exportShelves", "syncArticles"]
    assert registry.by_id["exportShelf"].is_private


def test_the_first_task_goes_to_its_end_with_the_input_of_the_guide(guide: ModuleType, shop: Application) -> None:
    [body] = re.findall(r"-d '(\{.*?\n\})'", GUIDE, re.DOTALL)
    given = json.loads(body)
    task = Iterations(shop, given["definition"], given["input"])

    first, last = task.next(), task.next()

    assert (first.word, first.wait_s, first.output) == ("continue", 1, {"sent": 2})
    assert (last.word, last.message, last.output) == ("done", "All articles are sent.", {"sent": 3})
    assert [said for _, said, _ in task.link.lines] == ["sent book", "sent lamp", "sent desk"]
    assert task.link.steps[-1] == (1, "3 of 3 articles")


def test_it_is_checked_before_there_is_a_run_and_stops_when_it_is_aborted(guide: ModuleType, shop: Application) -> None:
    with pytest.raises(BackgroundTaskError) as refused:
        trigger(shop, "syncArticles", {"articles": "book"}, now=NOW)
    assert list(refused.value.data["invalidFields"]) == ["articles"]
    assert not Run.objects.exists()
    task = Iterations(shop, "syncArticles", {"articles": ["book"]})
    task.link.aborted = True
    assert task.next().word == "aborted"


def test_a_mistyped_name_is_refused_by_the_first_task(guide: ModuleType, shop: Application) -> None:
    with pytest.raises(BackgroundTaskError) as refused:
        trigger(shop, "syncArticles", {"articles": [], "bathc": 3}, now=NOW)
    [(name, said)] = refused.value.data["invalidFields"].items()
    assert (name, said["message"]) == ("bathc", "There is no such field: did you mean batch?")
    assert not Run.objects.exists()


def test_the_second_one_has_children_and_hooks(guide: ModuleType, shop: Application) -> None:
    with pytest.raises(BackgroundTaskError, match="Say which shelves"):
        trigger(shop, "exportShelves", {}, now=NOW)
    made = trigger(shop, "exportShelves", {"shelves": ["A"]}, now=NOW)
    task = Iterations(shop, "exportShelves", {"shelves": ["A", "B"]})
    task.link.children = lambda _: []  # type: ignore[method-assign,assignment]
    assert task.next().wait_s == 5
    assert task.link.made == [("exportShelf", {"shelf": shelf}, "") for shelf in "AB"]
    over = [_child("success", {"shelf": "A"}), _child("running", None)]
    task.link.children = lambda _: over  # type: ignore[method-assign,assignment]
    assert task.next().word == "continue"
    over[1] = _child("success", {"shelf": "B"})
    assert task.next().output == {"shelves": [{"shelf": "A"}, {"shelf": "B"}]}
    hook = task.found.hook("on_done")
    assert hook
    with pytest.raises(BackgroundTaskError, match="testingRun"):  # which this test has not loaded
        called(hook, context_of(shop), made)


def _child(status: str, output: Any) -> BackgroundTask:
    moments: dict[str, Any] = dict.fromkeys(("created_at", "saved_at", "started_at", "finished_at", "due_at"), NOW)
    return BackgroundTask(
        id=Run().pk, name="", definition_id="exportShelf", status=status, input={}, output=output, created_by=CODE,
        iterations=1, parent_id=None, progress=None, progress_message="", error="", **moments,
    )  # fmt: skip


def test_code_triggers_reads_and_aborts_as_the_guide_does(guide: ModuleType, shop: Application) -> None:
    task = guide.replace_articles(shop, ["book"])
    assert (task.name, task.status, task.error) == ("By hand", "aborted", "Not today.")
    assert task.due_at - task.created_at == timedelta(seconds=60)


def public(of: type) -> set[str]:
    return {name for name in vars(of) if not name.startswith("_")}


@pytest.mark.parametrize(
    "name",
    sorted(
        {one.name for one in fields(Definition)} - {"is_private", "run", "input_class", "hooks", "target", "where"}
        | set(HOOKS)
        | public(Store) - {"completed"}
        | public(Response)
        | public(Params) - {"came_of", "failed"}
        | {one.name for one in fields(BackgroundTask)} - {"was_there", "saved_at"}
        | set(SHIPPED)
        | set(STATUSES)
        | {value for value in vars(errors).values() if isinstance(value, str) and value.isupper()}
    ),
)
def test_everything_there_is_stands_in_the_guide(name: str) -> None:
    assert name in NAMED


def test_the_defaults_are_those_of_the_guide() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", GUIDE, re.MULTILINE))
    for one in ("max_iterations", "database_logs", "timeout_s"):
        assert rows[one] == f"`{Definition.__dataclass_fields__[one].default}`"
