"""Reading background tasks and what they said."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.models import LogLine, Run, State
from badgerjobs.workspaces.models import Application
from tasks.background import reading
from tasks.background.errors import BackgroundTaskError
from tasks.models import BackgroundRun
from tests.factories import NOW, make_application, make_background_run
from tests.plans import look_at, plan_of

MINUTE = timedelta(minutes=1)

BEGUN = {"started_at": NOW}


@pytest.fixture
def rows(shop: Application) -> dict[str, BackgroundRun]:
    """One of each standing, a minute after each other, by name; and one of another tenant."""
    make_background_run(make_application("Charlie's"), name="stranger")
    made = {
        "waits": (State.SCHEDULED, {}),
        "due": (State.QUEUED, {}),
        "runs": (State.RUNNING, {}),
        "between": (State.SCHEDULED, BEGUN),
        "tried": (State.RETRYING, BEGUN),
        "done": (State.SUCCEEDED, {}),
        "bad": (State.FAILED, {}),
        "gone": (State.ABORTED, {"started_at": None}),
    }
    return {
        name: make_background_run(
            shop, state, name=name, created_at=NOW + nth * MINUTE, definition=f"d{nth % 2}", run=run,
            created_by={"id": f"u{nth % 3}", "displayName": "x", "type": "admin"},
        )
        for nth, (name, (state, run)) in enumerate(made.items())
    }  # fmt: skip


def names(shop: Application, **asked: Any) -> list[str]:
    return [task.name for task in reading.list(shop, **asked)]


def refused(shop: Application, **asked: Any) -> BackgroundTaskError:
    with pytest.raises(BackgroundTaskError) as error:
        reading.list(shop, **asked)
    return error.value


ALL = ["gone", "bad", "done", "tried", "between", "runs", "due", "waits"]


def test_the_newest_come_first_and_none_of_others(shop: Application, rows: dict[str, BackgroundRun]) -> None:
    assert names(shop) == ALL


def test_each_stands_in_one_of_five_words(shop: Application, rows: dict[str, BackgroundRun]) -> None:
    assert {task.name: task.status for task in reading.list(shop)} == {
        "waits": "pending", "due": "pending", "runs": "running", "between": "running", "tried": "running",
        "done": "success", "bad": "failed", "gone": "aborted",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"taskStatus": "pending"}, ["due", "waits"]),
        ({"taskStatus": "running"}, ["tried", "between", "runs"]),
        ({"taskStatus": "success"}, ["done"]),
        ({"taskStatus_not": "pending"}, ALL[:6]),
        ({"taskStatus_in": ["failed", "aborted"]}, ["gone", "bad"]),
        ({"taskStatus_not_in": ["failed", "aborted", "running"]}, ["done", "due", "waits"]),
        ({"taskStatus_in": []}, []),
        ({"definitionId": "d1"}, ["gone", "done", "between", "due"]),
        ({"definitionId_not": "d1"}, ["bad", "tried", "runs", "waits"]),
        ({"definitionId_in": ["d1", "none"], "taskStatus": "aborted"}, ["gone"]),
        ({"createdBy": "u1"}, ["gone", "tried", "due"]),
        ({"name": "done"}, ["done"]),
        ({"name_contains": "E"}, ["gone", "done", "tried", "between", "due"]),
        ({"createdOn_gt": NOW + 6 * MINUTE}, ["gone"]),
        ({"createdOn_gte": (NOW + 6 * MINUTE).isoformat()}, ["gone", "bad"]),
        ({"createdOn_lt": NOW + MINUTE}, ["waits"]),
        ({"createdOn_lte": NOW + MINUTE}, ["due", "waits"]),
        ({"finishedOn_gte": NOW + 6 * MINUTE}, ["gone", "bad"]),
        ({"startedOn_lte": NOW}, ["tried", "between"]),
        ({"parentId": None}, ALL),
        ({"parentId_not": None}, []),
        ({"definitionId": None}, ALL),
        ({"id": "no id"}, []),
    ],
)  # fmt: skip
def test_those_that_match_are_found(
    shop: Application, rows: dict[str, BackgroundRun], where: dict[str, Any], found: list[str]
) -> None:
    listed = reading.list(shop, where=where)
    assert [task.name for task in listed] == found
    assert listed.total == len(found)


def test_they_are_found_by_id_and_by_their_parent(shop: Application, rows: dict[str, BackgroundRun]) -> None:
    parent, child = rows["runs"], rows["due"]
    BackgroundRun.objects.filter(pk=child.pk).update(parent_id=parent.pk)
    assert names(shop, where={"parentId": str(parent.pk)}) == ["due"]
    assert names(shop, where={"id_in": [parent.pk, str(child.pk)]}) == ["runs", "due"]
    assert len(names(shop, where={"id_not": parent.pk})) == 7
    assert len(names(shop, where={"parentId": None})) == 7
    assert [task.name for task in reading.children(shop, parent.pk)] == ["due"]
    assert list(reading.children(shop, parent.pk, "none")) == []
    assert list(reading.children(make_application("D"), parent.pk)) == []


def test_letters_of_the_name_are_searched_in_any_case(shop: Application, rows: dict[str, BackgroundRun]) -> None:
    assert names(shop, search="UE") == ["due"]


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("createdOn_ASC", "waits"),
        ("name_ASC", "bad"),
        (["name_DESC", "createdOn_ASC"], "waits"),
        ("finishedOn_DESC", "gone"),
        ("startedOn_ASC", "between"),
        ("definitionId_DESC", "gone"),
        ("taskStatus_ASC", "gone"),
        ("taskStatus_DESC", "done"),
        ("savedOn_ASC", "waits"),
    ],
)
def test_they_are_sorted_and_paged(shop: Application, rows: dict[str, BackgroundRun], sort: Any, first: str) -> None:
    whole = names(shop, sort=sort)
    assert whole[0] == first
    found, cursor = [], None
    for _ in range(3):
        page = reading.list(shop, sort=sort, limit=3, after=cursor)
        found += [task.name for task in page]
        cursor = page.cursor
    assert (found, cursor) == (whole, None)


@pytest.mark.parametrize(
    "asked",
    [
        {"where": {"color": 1}},
        {"where": {"taskStatus": "done"}},
        {"where": {"taskStatus_gt": "success"}},
        {"where": {"taskStatus_in": "success"}},
        {"where": {"createdOn_gt": "yesterday"}},
        {"where": {"createdOn_gt": "2026-03-02T12:00:00"}},
        {"sort": "color_ASC"},
        {"sort": "name"},
        {"limit": 0},
        {"limit": 101},
        {"limit": True},
        {"after": "garbage"},
        {"after": 7},
    ],
    ids=str,
)
def test_what_is_asked_for_wrongly_is_refused(shop: Application, asked: dict[str, Any]) -> None:
    error = refused(shop, **asked)
    assert error.code == "VALIDATION_FAILED_INVALID_FIELDS"
    assert error.data["invalidFields"]


def test_what_is_no_condition_is_told_those_that_there_are(shop: Application) -> None:
    said = refused(shop, where={"status": "failed"}).message
    assert said == (
        'There is no condition "status". There are taskStatus, id, definitionId, parentId, name, createdBy, each also '
        "with _not, _in and _not_in; name_contains; and createdOn, savedOn, startedOn, finishedOn, each with _gt, "
        "_gte, _lt or _lte."
    )
    with pytest.raises(BackgroundTaskError, match="There are task, task_in, task_not, task_not_in, iteration, iterati"):
        reading.logs(shop, where={"status": "failed"})


def test_a_list_without_inputs_and_outputs_does_not_read_them(
    shop: Application, rows: dict[str, BackgroundRun]
) -> None:
    with CaptureQueriesContext(connection) as queries:
        tasks = list(reading.list(shop, is_whole=False, counts=False, limit=1000))
    assert len(queries) == 1
    assert '"runs_run"."output"' not in queries[0]["sql"]
    assert {(task.input, task.output) for task in tasks} == {(None, None)}


def test_a_list_is_one_query_and_one_for_the_count(shop: Application, rows: dict[str, BackgroundRun]) -> None:
    with CaptureQueriesContext(connection) as queries:
        reading.list(shop, where={"taskStatus": "success"}, sort="name_ASC")
    assert len(queries) == 2


def test_one_of_another_application_is_not_there(shop: Application) -> None:
    stranger = make_background_run(make_application("Charlie's"))
    for given in (stranger.pk, "no id", ""):
        with pytest.raises(BackgroundTaskError) as error:
            reading.get(shop, given)
        assert error.value.code == "TASK_NOT_FOUND"


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ({}, "background_of_application"),
        ({"definitionId": "d1"}, "background_of_definition"),
        ({"taskStatus": "failed"}, "run_ended_badly"),
        ({"parentId": UUID(int=7)}, "background_child"),
    ],
)
def test_the_newest_are_found_by_an_index(shop: Application, where: dict[str, Any], index: str) -> None:
    others = make_application("Charlie's")
    runs = [
        Run(
            id=uuid7(), application=others if nth % 4 else shop, kind="background",
            queue="compute", cause="code", due_at=NOW, created_at=NOW,
            state="failed" if nth % 100 == 0 else "succeeded",
        )
        for nth in range(4000)
    ]  # fmt: skip
    Run.objects.bulk_create(runs)
    BackgroundRun.objects.bulk_create(
        BackgroundRun(
            run=run, application=run.application, definition=f"d{nth % 51}", name="x", created_at=NOW, saved_at=NOW,
            parent_id=run.pk,
        )
        for nth, run in enumerate(runs)
    )  # fmt: skip
    look_at(Run)
    rows = BackgroundRun.objects.for_application(shop).filter(reading.conditions(shop, where)).brief()
    assert index in plan_of(rows.order_by("-pk")[:50])


# Logs


def say(row: BackgroundRun, iteration: int, message: str, level: str = "info", **fields: Any) -> None:
    LogLine.objects.create(
        run=row.run, application_id=row.application_id, iteration=iteration, attempt=iteration, level=level,
        message=message, created_at=NOW, **fields,
    )  # fmt: skip


@pytest.fixture
def said(shop: Application) -> list[BackgroundRun]:
    """Two tasks that said something in three iterations each, and a stranger's."""
    rows = [make_background_run(shop, created_at=NOW + nth * MINUTE) for nth in range(2)]
    for row in (*rows, make_background_run(make_application("Charlie's"))):
        for iteration in (1, 2, 3):
            say(row, iteration, f"begin {iteration}")
            say(row, iteration, f"end {iteration}", data={"a": 1})
    return rows


def test_a_log_is_what_an_iteration_said(shop: Application, said: list[BackgroundRun]) -> None:
    found = reading.logs(shop, said[0].pk)
    assert [log.iteration for log in found] == [3, 2, 1]
    log = found.data[0]
    assert (log.task_id, log.id, log.created_at) == (said[0].pk, f"{said[0].pk}-3", NOW)
    assert [(item.message, item.type, item.data, item.error) for item in log.items] == [
        ("begin 3", "info", None, None),
        ("end 3", "info", {"a": 1}, None),
    ]


def test_errors_have_their_data_apart(shop: Application) -> None:
    row = make_background_run(shop)
    error = {"message": "No.", "code": "E", "data": None}
    say(row, 1, "odd", "error", data={"data": {"row": 2}, "error": error})
    say(row, 1, "again", "warning", data={"error": error, "next_attempt_at": "x"})
    say(row, 1, "told", "info", data={"error": "is none"})
    [log] = reading.logs(shop, row.pk)
    assert [(item.type, item.data, item.error) for item in log.items] == [
        ("error", {"row": 2}, error),
        ("info", None, error),
        ("info", {"error": "is none"}, None),
    ]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"iteration": 2}, [2, 2]),
        ({"iteration_not": 2}, [3, 1, 3, 1]),
        ({"iteration_gt": 2}, [3, 3]),
        ({"iteration_gte": 3}, [3, 3]),
        ({"iteration_lt": 2}, [1, 1]),
        ({"iteration_lte": 1}, [1, 1]),
        ({"task": None}, [3, 2, 1, 3, 2, 1]),
        ({"task_in": []}, []),
    ],
)
def test_logs_are_found_by_their_iteration(
    shop: Application, said: list[BackgroundRun], where: dict[str, Any], found: list[int]
) -> None:
    logs = reading.logs(shop, where=where)
    assert [log.iteration for log in logs] == found
    assert logs.total == len(found)


def test_logs_are_found_by_their_task(shop: Application, said: list[BackgroundRun]) -> None:
    first, second = said
    assert {log.task_id for log in reading.logs(shop, where={"task_in": [first.pk, str(second.pk)]})} == {
        first.pk, second.pk,
    }  # fmt: skip
    assert {log.task_id for log in reading.logs(shop, where={"task_not": first.pk})} == {second.pk}


@pytest.mark.parametrize("sort", ["createdOn_DESC", "createdOn_ASC"])
def test_logs_are_paged(shop: Application, said: list[BackgroundRun], sort: str) -> None:
    whole = [log.id for log in reading.logs(shop, sort=sort)]
    first = reading.logs(shop, sort=sort, limit=4)
    second = reading.logs(shop, sort=sort, limit=4, after=first.cursor)
    assert [log.id for log in [*first, *second]] == whole
    assert second.cursor is None


@pytest.mark.parametrize(
    "asked",
    [
        {"where": {"color": 1}},
        {"where": {"iteration": "1"}},
        {"where": {"task_in": "x"}},
        {"sort": "name_ASC"},
        {"limit": 0},
        {"after": "garbage"},
        {"after": 7},
    ],
    ids=str,
)
def test_logs_that_are_asked_for_wrongly_are_refused(shop: Application, asked: dict[str, Any]) -> None:
    with pytest.raises(BackgroundTaskError) as error:
        reading.logs(shop, **asked)
    assert error.value.code == "VALIDATION_FAILED_INVALID_FIELDS"


def test_a_page_of_logs_is_two_queries_and_one_for_the_count(shop: Application, said: list[BackgroundRun]) -> None:
    with CaptureQueriesContext(connection) as queries:
        reading.logs(shop)
    assert len(queries) == 3
