"""What GraphQL shows of background tasks, in the shapes of Webiny, and in how many statements."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.graphql import answering
from badgerjobs.runs.models import LogLine, State
from badgerjobs.workspaces.models import Application, Scope
from tasks.background.definitions import Definition
from tasks.models import BackgroundRun
from tests.callers import Caller, caller_for
from tests.factories import NOW, make_application, make_background_run
from tests.graphql.asking import ask, data, refused, schema_with

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)

TASK = """id createdOn savedOn createdBy { id displayName type } name definitionId executionName input output taskStatus
  startedOn finishedOn eventResponse iterations parentId progress progressMessage"""
ERROR = "error { message code data stack }"


def asked(caller: Caller, question: str, **variables: Any) -> Any:
    """What one question within the group is answered with."""
    head, _, rest = question.partition("|")
    query = f"query Q{head} {{ backgroundTasks {{ {rest} }} }}" if rest else f"{{ backgroundTasks {{ {head} }} }}"
    [answer] = data(caller, query, **variables)["backgroundTasks"].values()
    return answer


def names(caller: Caller, arguments: str = "") -> list[str]:
    found = asked(caller, f"listTasks{arguments} {{ data {{ name }} {ERROR} }}")
    assert found["error"] is None
    return [each["name"] for each in found["data"]]


def say(row: BackgroundRun, iteration: int, message: str, level: str = "info", **fields: Any) -> None:
    LogLine.objects.create(
        run=row.run, application_id=row.application_id, iteration=iteration, attempt=1, level=level, message=message,
        created_at=NOW, **fields,
    )  # fmt: skip


@pytest.fixture
def rows(alice: Caller) -> dict[str, BackgroundRun]:
    """Three of them, a minute after each other, and one of another tenant."""
    make_background_run(make_application("Charlie's"), name="stranger")
    states = {"waits": State.SCHEDULED, "runs": State.RUNNING, "done": State.SUCCEEDED}
    return {
        name: make_background_run(
            alice.application, state, name=name, created_at=NOW + nth * MINUTE,
            run={"input": {"nth": nth}, "output": {"made": nth}},
        )
        for nth, (name, state) in enumerate(states.items())
    }  # fmt: skip


def test_every_field_of_a_task_is_shown_as_webiny_shows_it(alice: Caller, rows: dict[str, BackgroundRun]) -> None:
    row = rows["done"]
    BackgroundRun.objects.filter(pk=row.pk).update(progress=0.5, progress_message="Half.", parent_id=rows["runs"].pk)
    shown = asked(alice, f'getTask(id: "{row.pk}") {{ data {{ {TASK} }} {ERROR} }}')
    stamp = "2026-03-02T12:02:00.000Z"
    assert shown == {
        "data": {
            "id": str(row.pk), "createdOn": stamp, "savedOn": stamp, "name": "done", "definitionId": "syncArticles",
            "createdBy": {"id": "code", "displayName": "Code", "type": "system"},
            "executionName": f"syncArticles_{row.pk}", "input": {"nth": 2}, "output": {"made": 2},
            "taskStatus": "success", "startedOn": stamp, "finishedOn": stamp, "eventResponse": None, "iterations": 1,
            "parentId": str(rows["runs"].pk), "progress": 0.5, "progressMessage": "Half.",
        },
        "error": None,
    }  # fmt: skip


def test_one_that_waits_has_no_execution_yet(alice: Caller, rows: dict[str, BackgroundRun]) -> None:
    shown = asked(alice, f'getTask(id: "{rows["waits"].pk}") {{ data {{ executionName taskStatus startedOn }} }}')
    assert shown["data"] == {"executionName": "", "taskStatus": "pending", "startedOn": None}


@pytest.mark.parametrize("given", ["stranger", "none", ""])
def test_what_is_not_there_is_an_error_beside_the_data(
    alice: Caller, rows: dict[str, BackgroundRun], given: str
) -> None:
    id = str(BackgroundRun.objects.get(name="stranger").pk) if given == "stranger" else given  # noqa: A001
    shown = asked(alice, f"($id: ID!)|getTask(id: $id) {{ data {{ id }} {ERROR} }}", id=id)
    error = {"message": f'Task "{id}" does not exist.', "code": "TASK_NOT_FOUND", "data": {"id": id}, "stack": None}
    assert shown == {"data": None, "error": error}


def test_tasks_are_listed_newest_first_with_their_inputs(alice: Caller, rows: dict[str, BackgroundRun]) -> None:
    listed = asked(alice, "listTasks { data { name input output } meta { cursor hasMoreItems totalCount } }")
    assert listed == {
        "data": [
            {"name": "done", "input": {"nth": 2}, "output": {"made": 2}},
            {"name": "runs", "input": {"nth": 1}, "output": {"made": 1}},
            {"name": "waits", "input": {"nth": 0}, "output": {"made": 0}},
        ],
        "meta": {"cursor": None, "hasMoreItems": False, "totalCount": 3},
    }


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ('(where: { taskStatus: "running" })', ["runs"]),
        ('(where: { taskStatus_not: "running" })', ["done", "waits"]),
        ('(where: { taskStatus_in: ["running", "success"] })', ["done", "runs"]),
        ('(where: { taskStatus_not_in: ["running", "success"] })', ["waits"]),
        ('(where: { definitionId: "none" })', []),
        ('(where: { definitionId_not_in: ["none"], name_contains: "ON" })', ["done"]),
        ('(where: { createdOn_gt: "2026-03-02T12:00:00Z" })', ["done", "runs"]),
        ('(where: { createdOn_lte: "2026-03-02T12:00:00.000Z" })', ["waits"]),
        ("(where: { parentId: null })", ["done", "runs", "waits"]),
        ("(sort: [createdOn_ASC])", ["waits", "runs", "done"]),
        ("(sort: name_DESC, limit: 2)", ["waits", "runs"]),
        ('(search: "RU")', ["runs"]),
        ("(where: null, sort: null, limit: null, after: null, search: null)", ["done", "runs", "waits"]),
    ],
)
def test_tasks_are_narrowed_and_sorted(
    alice: Caller, rows: dict[str, BackgroundRun], arguments: str, found: list[str]
) -> None:
    assert names(alice, arguments) == found


def test_pages_follow_each_other_by_their_cursor(alice: Caller, rows: dict[str, BackgroundRun]) -> None:
    page = "listTasks(limit: 2, after: $after) { data { name } meta { cursor hasMoreItems totalCount } }"
    first = asked(alice, f"($after: String)|{page}")
    second = asked(alice, f"($after: String)|{page}", after=first["meta"]["cursor"])
    assert [each["name"] for each in [*first["data"], *second["data"]]] == ["done", "runs", "waits"]
    assert (first["meta"]["hasMoreItems"], first["meta"]["totalCount"]) == (True, 3)
    assert second["meta"] == {"cursor": None, "hasMoreItems": False, "totalCount": 3}


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ('listTasks(where: { taskStatus: "odd" })', "taskStatus"),
        ('listTasks(where: { createdOn_gt: "soon" })', "createdOn_gt"),
        ("listTasks(where: { createdOn_gt: 7 })", "createdOn_gt"),
        ("listTasks(limit: 0)", "limit"),
        ("listTasks(limit: 1001)", "limit"),
        ('listTasks(search: "\\u0000")', "search"),
        ('listTasks(where: { name: "\\u0000" })', "name"),
        ('listTasks(where: { definitionId_in: ["\\u0000"] })', "definitionId_in"),
        ('listTasks(after: "x")', "after"),
        ('listLogs(after: "x")', "after"),
        ("listLogs(limit: -1)", "limit"),
        ('listLogs(search: "\\u0000")', "search"),
        ("listLogs(where: { iteration: 1.5 })", "iteration"),
    ],
)
def test_what_is_asked_for_wrongly_is_an_error_with_its_field(alice: Caller, question: str, field: str) -> None:
    shown = asked(alice, f"{question} {{ data {{ id }} {ERROR} }}")
    assert shown["data"] is None
    assert shown["error"]["code"] == "VALIDATION_FAILED_INVALID_FIELDS"
    assert list(shown["error"]["data"]["invalidFields"]) == [field]


def test_a_cursor_of_another_order_or_of_another_list_leads_nowhere(
    alice: Caller, rows: dict[str, BackgroundRun]
) -> None:
    for name in ("runs", "done"):
        say(rows[name], 1, "begun")
    page = "(limit: 1) { meta { cursor } }"
    after = asked(alice, f"listTasks{page}")["meta"]["cursor"]
    of_logs = asked(alice, f"listLogs{page}")["meta"]["cursor"]
    assert asked(alice, f'listTasks(after: "{after}") {{ error {{ code }} }}') == {"error": None}
    assert asked(alice, f'listLogs(after: "{of_logs}") {{ error {{ code }} }}') == {"error": None}
    for question in (
        f'listTasks(after: "{after}", sort: name_ASC)',
        f'listTasks(after: "{of_logs}")',
        f'listLogs(after: "{after}")',
        f'listTasks(after: "{after[:-9]}")',
    ):
        shown = asked(alice, f"{question} {{ data {{ id }} {ERROR} }}")
        assert shown["data"] is None
        assert shown["error"]["message"].startswith("This is no cursor of this list: ")


# Definitions


def test_public_definitions_are_listed_and_private_ones_are_not(alice: Caller, defined: Any) -> None:
    defined(id="another", title="Another", description="Does it.")
    more = {"fields": [], "inputSchema": {"type": "object"}}
    assert asked(alice, "listDefinitions { data { id title description fields inputSchema } error { code } }") == {
        "data": [
            {"id": "another", "title": "Another", "description": "Does it.", **more},
            {"id": "syncArticles", "title": "Sync articles", "description": None, **more},
        ],
        "error": None,
    }


def test_runs_of_private_definitions_are_listed(alice: Caller, defined: Any) -> None:
    make_background_run(alice.application, definition="secret", name="Secret")
    assert names(alice, '(where: { definitionId: "secret" })') == ["Secret"]


def enum_of(*ids: str) -> list[str]:
    definitions = [Definition(id=id, title='The "title"\\ \U0001f9a1', run=print) for id in ids]  # noqa: A001
    schema: Any = schema_with(definitions)
    return list(schema.type_map["WebinyBackgroundTaskDefinitionEnum"].values)


def test_the_enum_holds_what_graphql_can_name_and_is_never_empty() -> None:
    assert enum_of("one", "two2") == ["one", "two2"]
    assert enum_of("one", "2Factor", "größe") == ["one"]
    assert enum_of("2Factor") == enum_of() == ["Empty"]


# Logs


def test_a_log_is_what_an_iteration_said(alice: Caller, rows: dict[str, BackgroundRun]) -> None:
    row = rows["runs"]
    error = {"message": "No.", "code": "E", "data": None, "stack": "File x"}
    say(row, 1, "begun", data={"a": 1})
    say(row, 1, "odd", "error", data={"data": 2, "error": error})
    shown = asked(
        alice,
        "listLogs { data { id createdOn createdBy { id } executionName iteration task { id name input } "
        f"items {{ message createdOn type data error }} }} meta {{ cursor hasMoreItems totalCount }} {ERROR} }}",
    )
    stamp = "2026-03-02T12:00:00.000Z"
    assert shown == {
        "data": [{
            "id": f"{row.pk}-1", "createdOn": stamp, "createdBy": {"id": "code"}, "iteration": 1,
            "executionName": f"syncArticles_{row.pk}",
            "task": {"id": str(row.pk), "name": "runs", "input": {"nth": 1}},
            "items": [
                {"message": "begun", "createdOn": stamp, "type": "info", "data": {"a": 1}, "error": None},
                {
                    "message": "odd", "createdOn": stamp, "type": "error", "data": 2,
                    "error": {"message": "No.", "code": "E", "data": None},
                },
            ],
        }],
        "meta": {"cursor": None, "hasMoreItems": False, "totalCount": 1},
        "error": None,
    }  # fmt: skip


@pytest.fixture
def said(rows: dict[str, BackgroundRun]) -> dict[str, BackgroundRun]:
    """Two of them said something in three iterations each."""
    for name in ("runs", "done"):
        for iteration in (1, 2, 3):
            say(rows[name], iteration, f"{name} {iteration}")
    return rows


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ("(where: { iteration: 2 })", ["done 2", "runs 2"]),
        ("(where: { iteration_gt: 1, iteration_lt: 3 })", ["done 2", "runs 2"]),
        ("(where: { iteration_not: 1, iteration_lte: 2 })", ["done 2", "runs 2"]),
        ("(sort: createdOn_ASC, limit: 2)", ["runs 1", "runs 2"]),
        ('(search: "NE 3")', ["done 3"]),
        ("(where: { task_in: [] })", []),
    ],
)
def test_logs_are_narrowed_and_sorted(
    alice: Caller, said: dict[str, BackgroundRun], arguments: str, found: list[str]
) -> None:
    shown = asked(alice, f"listLogs{arguments} {{ data {{ items {{ message }} }} {ERROR} }}")
    assert shown["error"] is None
    assert [item["message"] for log in shown["data"] for item in log["items"]] == found


def test_logs_are_those_of_one_task(alice: Caller, said: dict[str, BackgroundRun]) -> None:
    query = "($where: WebinyBackgroundTaskLogListWhereInput)|listLogs(where: $where) { data { items { message } } }"
    shown = asked(alice, query, where={"task": str(said["runs"].pk), "iteration_gte": 3})
    assert shown["data"] == [{"items": [{"message": "runs 3"}]}]


def test_tasks_have_their_logs_within(alice: Caller, said: dict[str, BackgroundRun]) -> None:
    query = """listTasks { data { name
      all: logs { iteration task { name } } first: logs(sort: [createdOn_ASC], limit: 1) { items { message } }
      some: logs(where: { iteration_gt: 2 }) { iteration } } }"""
    done, runs, waits = asked(alice, query)["data"]
    assert [log["iteration"] for log in done["all"]] == [3, 2, 1]
    assert done["all"][0]["task"] == {"name": "done"}
    assert done["first"] == [{"items": [{"message": "done 1"}]}]
    assert runs["some"] == [{"iteration": 3}]
    assert (waits["all"], waits["first"], waits["some"]) == ([], [], [])


def test_logs_within_a_task_that_are_asked_for_wrongly_are_refused(
    alice: Caller, said: dict[str, BackgroundRun]
) -> None:
    assert "from 1 to 10,000" in refused(alice, "{ backgroundTasks { listTasks { data { logs(limit: 0) { id } } } } }")


def test_many_tasks_with_all_that_is_theirs_take_no_more_statements_than_few(
    alice: Caller, said: dict[str, BackgroundRun]
) -> None:
    query = f"""{{ backgroundTasks {{ listTasks {{ data {{ {TASK} logs {{ task {{ name }} items {{ message }} }} }}
      meta {{ totalCount }} }} listLogs {{ data {{ task {{ {TASK} }} }} }} }} }}"""
    data(alice, query)
    with CaptureQueriesContext(connection) as few:
        data(alice, query)
    for _ in range(20):
        say(make_background_run(alice.application), 1, "Hello.")
    with CaptureQueriesContext(connection) as many:
        shown = data(alice, query)
    assert len(shown["backgroundTasks"]["listTasks"]["data"]) == 23
    assert len(many) == len(few)


# What is too much


@pytest.mark.parametrize(
    "question",
    [
        "listTasks { data { input } }",
        "listTasks { data { output } }",
        "listTasks { data { logs { items { message } } } }",
        "listLogs { data { items { type } } }",
        "listLogs { data { task { input } } }",
    ],
)
def test_more_text_than_fits_is_refused_as_a_whole(
    alice: Caller, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    monkeypatch.setattr("badgerjobs.web.graphql.MOST_TEXT_BYTES", 2000)
    for _ in range(3):
        row = make_background_run(alice.application, run={"input": {"x": "y" * 900}, "output": {"x": "y" * 900}})
        say(row, 1, "x" * 400, data="y" * 400)
    answer = ask(alice, f"{{ backgroundTasks {{ {question} }} }}").body
    assert answer["data"] is None
    assert "32 MB" in answer["errors"][0]["message"]


def test_one_text_that_is_named_again_and_again_is_too_much(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("badgerjobs.web.graphql.MOST_TEXT_BYTES", 2000)
    row = make_background_run(alice.application, run={"input": {"x": "y" * 900}})
    often = " ".join(f"a{number}: input" for number in range(3))
    assert "32 MB" in refused(alice, f'{{ backgroundTasks {{ getTask(id: "{row.pk}") {{ data {{ {often} }} }} }} }}')


def test_a_page_counts_as_often_as_it_may_have_rows(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "MOST_ANSWERED", 5000)
    within = "{ backgroundTasks { listTasks%s { data { logs(limit: %s) { items { message type } } } } } }"
    data(alice, within % ("(limit: 10)", "10.0"))
    for arguments, limit in (("", "100"), ("(limit: 1000)", "1"), ("(limit: 1)", "1000.0")):
        said = refused(alice, within % (arguments, limit))
        assert "at most 5,000 are given at once" in said
        assert "`after`, with the `meta.cursor` of the page before," in said
        assert "offset" not in said


def test_who_asks_for_too_much_of_both_is_told_how_each_goes_on(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "MOST_ANSWERED", 5000)
    query = (
        "{ jobResults(limit: 1000) { run } backgroundTasks { listTasks(limit: 1000) { data { id name iterations } } } }"
    )
    said = refused(alice, query.replace("jobResults", "jobs { name } jobResults"))
    assert "`offset` or `after`, with" in said
    assert "Each row that an `offset` leaves out" in said


# Rights


@pytest.mark.parametrize(
    "question",
    ["listTasks", 'getTask(id: "x")', "listLogs", "listDefinitions"],
)
def test_who_may_not_read_is_told_in_the_error_of_the_question(alice: Caller, question: str) -> None:
    writer = caller_for(alice.application, scopes=[Scope.WRITE])
    shown = asked(writer, f"{question} {{ data {{ id }} {ERROR} }}")
    said = {"message": "This token lacks the scope “read”.", "code": "SECURITY_NOT_AUTHORIZED"}
    assert shown == {"data": None, "error": {**said, "data": None, "stack": None}}


def test_what_stands_beside_the_group_needs_its_rights_as_ever(alice: Caller) -> None:
    writer = caller_for(alice.application, scopes=[Scope.WRITE])
    assert ask(writer, "{ jobs { name } backgroundTasks { listDefinitions { data { id } } } }").status == 403
    assert ask(writer, "{ __typename backgroundTasks { listDefinitions { data { id } } } }").status == 403
    assert ask(writer, "{ ...f } fragment f on Query { jobs { name } }").status == 403


def test_another_tenant_sees_none_of_it(alice: Caller, charlie: Caller, said: dict[str, BackgroundRun]) -> None:
    theirs: Application = charlie.application
    make_background_run(theirs, name="theirs")
    assert names(charlie) == ["theirs"]
    assert asked(charlie, "listLogs { data { id } }") == {"data": []}
