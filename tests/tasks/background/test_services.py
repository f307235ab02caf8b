"""Aborting and deleting background tasks."""

from typing import Any
from uuid import UUID

import pytest

from badgerjobs.runs.models import LogLine, Run, State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, AuditEntry
from tasks.background import services
from tasks.background.errors import BackgroundTaskError
from tasks.models import BackgroundRun
from tests.factories import NOW, make_application, make_background_run
from tests.tasks.background.defined import define, hook

pytestmark = pytest.mark.usefixtures("registry")


def trigger(shop: Application, **fields: Any) -> Any:
    return services.trigger(shop, "syncArticles", now=NOW, **fields)


@pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.RUNNING, State.RETRYING])
def test_what_is_not_over_can_be_aborted(shop: Application, state: State) -> None:
    row = make_background_run(shop, state)
    task = services.abort(shop, row.pk, message="No more.", now=NOW)
    assert (task.status, task.finished_at, task.error) == ("aborted", NOW, "No more.")
    line = LogLine.objects.get()
    assert (line.level, line.message, line.iteration) == ("info", "No more.", 1)


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.ABORTED])
def test_what_is_over_cannot_be_aborted(shop: Application, state: State) -> None:
    row = make_background_run(shop, state)
    with pytest.raises(BackgroundTaskError) as refused:
        services.abort(shop, str(row.pk), now=NOW)
    assert (refused.value.code, refused.value.message) == (
        "TASK_ABORT_ERROR",
        "Cannot abort a task that is not pending or running!",
    )
    assert services.abort_tasks(application=shop, ids=[row.pk], now=NOW) == 0
    assert Run.objects.get().state == state


def test_without_a_message_it_says_that_it_was_aborted(shop: Application) -> None:
    row = make_background_run(shop, State.RUNNING, run={"iteration": 4})
    services.abort(shop, row.pk, message="  ", now=NOW)
    line = LogLine.objects.get()
    assert (line.message, line.iteration) == ("Task aborted.", 4)


@pytest.mark.parametrize("cascade", [True, False])
def test_children_are_aborted_too_unless_they_are_spared(shop: Application, cascade: bool) -> None:
    row = make_background_run(shop, State.RUNNING)
    child = make_background_run(shop, State.SCHEDULED, parent_id=row.pk)
    grandchild = make_background_run(shop, State.QUEUED, parent_id=child.pk)
    done = make_background_run(shop, State.SUCCEEDED, parent_id=row.pk)
    services.abort(shop, row.pk, cascade=cascade, now=NOW)
    states = dict(Run.objects.values_list("pk", "state"))
    if cascade:
        assert (states[child.pk], states[grandchild.pk]) == ("aborted", "aborted")
    else:
        assert (states[child.pk], states[grandchild.pk]) == ("scheduled", "queued")
    assert (states[row.pk], states[done.pk]) == ("aborted", "succeeded")


def test_tasks_of_others_are_neither_aborted_nor_deleted(shop: Application) -> None:
    other = make_application("Charlie's")
    running, over = make_background_run(other, State.RUNNING), make_background_run(other, State.SUCCEEDED)
    ids = [running.pk, over.pk]
    assert services.abort_tasks(application=shop, ids=ids, now=NOW) == 0
    assert services.delete_tasks(application=shop, ids=ids, now=NOW) == 0
    for verb in (services.abort, services.delete):
        for given in (running.pk, over.pk, "no id", UUID(int=7)):
            with pytest.raises(BackgroundTaskError) as refused:
                verb(shop, given, now=NOW)
            assert refused.value.code == "TASK_NOT_FOUND"
    assert Run.objects.count() == 2


def test_deleting_takes_the_logs_and_leaves_the_children(shop: Application) -> None:
    row = make_background_run(shop, State.FAILED)
    child = make_background_run(shop, State.RUNNING, parent_id=row.pk)
    LogLine.objects.create(run=row.run, application=shop, level="info", message="x", created_at=NOW)
    services.delete(shop, row.pk, now=NOW)
    assert list(Run.objects.values_list("pk", flat=True)) == [child.pk]
    assert list(BackgroundRun.objects.values_list("pk", flat=True)) == [child.pk]
    assert not LogLine.objects.exists()


def test_what_is_not_over_cannot_be_deleted(shop: Application) -> None:
    row = make_background_run(shop, State.SCHEDULED)
    with pytest.raises(BackgroundTaskError) as refused:
        services.delete(shop, row.pk, now=NOW)
    assert refused.value.code == "TASK_DELETE_ERROR"
    assert BackgroundRun.objects.exists()


def refusal(shop: Application, row: BackgroundRun) -> str:
    with pytest.raises(BackgroundTaskError) as refused:
        services.delete(shop, row.pk, now=NOW)
    assert BackgroundRun.objects.filter(pk=row.pk).exists()
    return refused.value.message


def test_a_task_is_not_deleted_before_its_hooks_were_called(shop: Application) -> None:
    define(on_abort=hook)
    row = make_background_run(shop, State.RUNNING)
    services.abort(shop, row.pk, now=NOW)
    assert refusal(shop, row) == services.STILL_NEEDED
    Run.objects.filter(kind="background_hook").update(state="failed")
    services.delete(shop, row.pk, now=NOW)


def test_a_child_is_not_deleted_while_an_iteration_of_its_parent_may_look_for_it(shop: Application) -> None:
    parent = make_background_run(shop, State.RETRYING)
    place = {"parent_id": parent.pk, "parent_iteration": 1, "parent_place": 1}
    row = make_background_run(shop, State.SUCCEEDED, **place)
    assert refusal(shop, row) == services.STILL_NEEDED
    Run.objects.filter(pk=parent.pk).update(iteration=2)
    services.delete(shop, row.pk, now=NOW)


def test_who_asked_stands_in_the_audit_log_and_code_does_not(shop: Application) -> None:
    define()
    code = trigger(shop)
    services.abort(shop, code.id, now=NOW)
    services.delete(shop, code.id, now=NOW)
    assert not AuditEntry.objects.exists()
    tasks = [trigger(shop, name=f"n{nth}", by=OPERATOR) for nth in range(2)]
    ids = [one.id for one in tasks]
    assert services.abort_tasks(application=shop, ids=ids, by=OPERATOR, now=NOW) == 2
    assert services.delete_tasks(application=shop, ids=ids[:1], by=OPERATOR, now=NOW) == 1
    told = list(AuditEntry.objects.order_by("pk").values_list("action", "subject"))
    assert told == [
        ("background.trigger", "n0"),
        ("background.trigger", "n1"),
        ("background.abort", "2 background tasks"),
        ("background.delete", "n0"),
    ]
