"""What follows when background tasks are over."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs import lifecycle
from badgerjobs.runs.changes import Finished
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import LogLine, Run, State
from badgerjobs.workspaces.models import Application
from tasks.background import places, services
from tasks.background.following import sparing_children
from tasks.models import BackgroundRun
from tests.factories import NOW, make_application, make_background_run
from tests.runs.together import behind
from tests.tasks.background.defined import define, hook

pytestmark = pytest.mark.usefixtures("registry")


ALL = {"on_done": hook, "on_error": hook, "on_abort": hook, "on_max_iterations": hook}


def end(row: BackgroundRun, state: State, error_class: str = "") -> None:
    """Bring it there as a worker would."""
    worker = uuid7()
    Run.objects.filter(pk=row.pk).update(state="running", worker=worker)
    run = Run.objects.get(pk=row.pk)
    claimed = Claimed(
        run.pk, run.application_id, None, run.kind, 0, run.attempts, None, run.due_at, None, 0, 10, "incremental", None,
        None, NOW, worker=worker, iteration=run.iteration, attempts_before=run.attempts_before,
    )  # fmt: skip
    done = Finished(claimed, state, NOW, NOW, NOW, ok=state != State.FAILED, error="e", error_class=error_class)
    assert lifecycle.finish([done], worker=worker) == {row.pk}


def asked() -> list[Any]:
    """What the runs of hooks are to do."""
    runs = Run.objects.filter(kind="background_hook").order_by("pk")
    assert {(run.queue, run.state, run.cause) for run in runs} <= {("compute", "queued", "code")}
    return [run.input for run in runs]


@pytest.mark.parametrize(
    ("state", "error_class", "hooks"),
    [
        (State.SUCCEEDED, "", ["on_done"]),
        (State.FAILED, "code", ["on_error"]),
        (State.FAILED, "max_iterations", ["on_max_iterations", "on_error"]),
        (State.ABORTED, "", ["on_abort"]),
    ],
)
def test_the_hooks_of_an_end_run_by_themselves(
    shop: Application, state: State, error_class: str, hooks: list[str]
) -> None:
    define(**ALL)
    row = make_background_run(shop, State.RUNNING)
    end(row, state, error_class)
    assert asked() == [{"run": str(row.pk), "hooks": hooks, "cleans": False}]
    assert Run.objects.get(pk=row.pk).state == state


def test_a_task_without_hooks_ends_without_a_run_of_them(shop: Application) -> None:
    define(on_done=hook, on_max_iterations=hook)
    for state in (State.FAILED, State.ABORTED):
        end(make_background_run(shop, State.RUNNING), state, "code")
    end(make_background_run(shop, State.RUNNING, definition="gone"), State.SUCCEEDED)
    assert asked() == []


@pytest.mark.parametrize(
    ("words", "state", "cleans"),
    [
        ("always", State.FAILED, True),
        ("onSuccess", State.SUCCEEDED, True),
        ("onSuccess", State.FAILED, False),
        (["onError", "onAbort"], State.ABORTED, True),
        (["onError", "onAbort"], State.SUCCEEDED, False),
        ("never", State.ABORTED, False),
    ],
)
def test_what_is_to_be_deleted_at_its_end_is_told_so(shop: Application, words: Any, state: State, cleans: bool) -> None:
    define(self_cleanup=words)
    row = make_background_run(shop, State.RUNNING)
    end(row, state)
    assert asked() == ([{"run": str(row.pk), "hooks": [], "cleans": True}] if cleans else [])


def test_an_iteration_that_another_follows_is_no_end(shop: Application) -> None:
    define(**ALL, self_cleanup="always")
    row = make_background_run(shop, State.RUNNING, key="k", has_place=True)
    end(row, State.SCHEDULED)
    row.refresh_from_db()
    assert (asked(), row.key, row.has_place) == ([], "k", True)


def test_with_its_end_the_key_and_the_place_are_free(shop: Application) -> None:
    define()
    row = make_background_run(shop, State.RUNNING, key="k", has_place=True)
    end(row, State.SUCCEEDED)
    row.refresh_from_db()
    assert (row.key, row.has_place) == (None, False)


def test_children_of_what_aborted_itself_are_aborted(shop: Application) -> None:
    define(**ALL)
    row = make_background_run(shop, State.RUNNING)
    child = make_background_run(shop, State.QUEUED, parent_id=row.pk)
    grandchild = make_background_run(shop, State.RETRYING, parent_id=child.pk)
    end(row, State.ABORTED)
    assert set(Run.objects.filter(kind="background").values_list("state", flat=True)) == {"aborted"}
    line = LogLine.objects.get(run_id=grandchild.pk)
    assert line.message == "The task that triggered it was aborted."
    assert {one["run"] for one in asked()} == {str(one.pk) for one in (row, child, grandchild)}
    assert all(one["hooks"] == ["on_abort"] for one in asked())


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED])
def test_children_of_what_ended_otherwise_go_on(shop: Application, state: State) -> None:
    row = make_background_run(shop, State.RUNNING)
    child = make_background_run(shop, State.QUEUED, parent_id=row.pk)
    end(row, state)
    assert Run.objects.get(pk=child.pk).state == "queued"


def test_the_places_of_a_whole_tree_are_locked_at_once(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    define(concurrency=1)
    define(id="other", concurrency=1)
    row = make_background_run(shop, State.RUNNING, has_place=True)
    child = make_background_run(shop, State.RUNNING, parent_id=row.pk)
    make_background_run(shop, State.RUNNING, parent_id=child.pk, definition="other", has_place=True)
    locked: list[set[str]] = []
    monkeypatch.setattr(places, "_lock", lambda groups: locked.append({name for _, name in groups}))
    end(row, State.ABORTED)
    assert locked == [{"syncArticles", "other"}]


@pytest.mark.django_db(transaction=True)
def test_what_is_triggered_while_its_parent_is_waited_for_is_aborted_too() -> None:
    shop = make_application()
    define()
    row = make_background_run(shop, State.RUNNING)
    child = make_background_run(shop, State.RUNNING, parent_id=row.pk)

    def abort() -> set[Any]:
        return lifecycle.abort([row.pk], now=NOW, reason="x")

    behind(lambda: services.trigger(shop, "syncArticles", parent=child.pk, now=NOW), abort)
    assert list(Run.objects.values_list("state", flat=True)) == ["aborted"] * 3


def test_what_is_done_with_many_runs_leaves_hooks_alone(shop: Application) -> None:
    define(**ALL)
    end(make_background_run(shop, State.RUNNING), State.SUCCEEDED)
    assert len(asked()) == 1
    assert [run.kind for run in Run.objects.for_application(shop).others()] == ["background"]


def test_children_are_spared_only_while_that_is_said(shop: Application) -> None:
    rows = [make_background_run(shop, State.RUNNING) for _ in range(2)]
    children = [make_background_run(shop, State.QUEUED, parent_id=row.pk) for row in rows]
    with sparing_children():
        lifecycle.abort([rows[0].pk], now=NOW, reason="x")
    lifecycle.abort([rows[1].pk], now=NOW, reason="x")
    states = [Run.objects.get(pk=child.pk).state for child in children]
    assert states == ["queued", "aborted"]


def test_many_ends_cost_as_many_statements_as_one(shop: Application) -> None:
    define(**ALL, self_cleanup="always", concurrency=1)

    def cost(count: int) -> int:
        rows = [make_background_run(shop, State.RUNNING, key=str(uuid7()), has_place=True) for _ in range(count)]
        for row in rows:
            make_background_run(shop, State.QUEUED, parent_id=row.pk, key=str(uuid7()))
        make_background_run(shop, State.SCHEDULED, is_parked=True)
        with CaptureQueriesContext(connection) as queries:
            lifecycle.abort([row.pk for row in rows], now=NOW, reason="x")
        return len(queries)

    assert cost(1) == cost(30)
