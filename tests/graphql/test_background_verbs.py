"""Triggering, aborting and deleting background tasks by GraphQL."""

from typing import Any

import pytest
from rest_framework import serializers

from badgerjobs.graphql.answering import answer
from badgerjobs.graphql.limits import parsed, verbs_in
from badgerjobs.graphql.schema import SCHEMA, SCOPES
from badgerjobs.runs.models import State
from badgerjobs.web.graphql import Asker
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import AuditEntry, Scope
from tasks.background.graphql import GROUPS
from tasks.models import BackgroundRun
from tests.callers import Caller, caller_for
from tests.factories import make_application, make_background_run
from tests.graphql.asking import ask, data, refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("defined")]

ANSWER = "{ data { id name taskStatus input createdBy { id type } } error { message code data stack } }"
DONE = "{ data error { message code data stack } }"


def did(caller: Caller, verb: str, head: str = "", **variables: Any) -> Any:
    """What one verb is answered with."""
    [answer] = data(caller, f"mutation M{head} {{ backgroundTasks {{ {verb} }} }}", **variables)[
        "backgroundTasks"
    ].values()
    return answer


def code_of(answer: Any) -> str:
    assert answer["data"] is None
    code: str = answer["error"]["code"]
    return code


def test_a_definition_is_triggered_by_its_name_without_quotes(alice: Caller) -> None:
    arguments = '(definition: syncArticles, input: { rows: [1, 2.5, "x", null, true] }, name: "Now", delay: 60)'
    made = did(alice, f"triggerTask{arguments} {ANSWER}")
    assert made["error"] is None
    row = BackgroundRun.objects.for_application(alice.application).get(pk=made["data"].pop("id"))
    assert made["data"] == {
        "name": "Now", "taskStatus": "pending", "input": {"rows": [1, 2.5, "x", None, True]},
        "createdBy": {"id": row.created_by["id"], "type": "api-key"},
    }  # fmt: skip
    assert (row.run.state, (row.run.due_at - row.created_at).total_seconds()) == (State.SCHEDULED, 60)
    assert AuditEntry.objects.filter(action="background.trigger", subject="Now").count() == 1


def test_the_document_of_webinys_client_is_answered(alice: Caller) -> None:
    query = """mutation TriggerTask($definition: WebinyBackgroundTaskDefinitionEnum!, $input: JSON) { backgroundTasks {
      triggerTask(definition: $definition, input: $input) { data { id definitionId executionName eventResponse
      taskStatus input output startedOn finishedOn name iterations parentId } error { message code } } } }"""
    [made] = data(alice, query, definition="syncArticles", input={"a": 1})["backgroundTasks"].values()
    shown = {name: made["data"][name] for name in ("definitionId", "input", "name", "iterations", "executionName")}
    assert shown == {
        "definitionId": "syncArticles", "input": {"a": 1}, "name": "Sync articles", "iterations": 0,
        "executionName": "",
    }  # fmt: skip


def test_null_is_as_if_nothing_was_given(alice: Caller) -> None:
    made = did(alice, f"triggerTask(definition: syncArticles, input: null, name: null, delay: null) {ANSWER}")
    assert (made["data"]["input"], made["data"]["name"]) == ({}, "Sync articles")


def test_a_variable_within_the_input_that_is_not_given_is_left_out(alice: Caller) -> None:
    verb = f"triggerTask(definition: syncArticles, input: {{ a: $a, b: $b, c: [$b] }}) {ANSWER}"
    assert did(alice, verb, "($a: Int, $b: Int)", a=1)["data"]["input"] == {"a": 1, "c": [None]}


@pytest.mark.parametrize("name", ["secret", "unknown", '"syncArticles"'])
def test_private_and_unknown_definitions_are_no_values_of_the_enum(alice: Caller, name: str) -> None:
    said = refused(alice, f"mutation {{ backgroundTasks {{ triggerTask(definition: {name}) {ANSWER} }} }}")
    assert "WebinyBackgroundTaskDefinitionEnum" in said
    assert not BackgroundRun.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("delay: 30672000", "MAX_DELAY_ERROR"),
        ("delay: -1", "VALIDATION_FAILED_INVALID_FIELDS"),
        ("delay: 1.5", "VALIDATION_FAILED_INVALID_FIELDS"),
        ("input: 7", "VALIDATION_FAILED_INVALID_FIELDS"),
        ("input: [1]", "VALIDATION_FAILED_INVALID_FIELDS"),
        ('input: { a: "\\u0000" }', "VALIDATION_FAILED_INVALID_FIELDS"),
        (f"input: {{ a: {'9' * 5000} }}", "VALIDATION_FAILED_INVALID_FIELDS"),
        ("input: { a: 1e999 }", "VALIDATION_FAILED_INVALID_FIELDS"),
        (f"input: {{ a: {'[' * 120}{']' * 120} }}", "VALIDATION_FAILED_INVALID_FIELDS"),
    ],
    ids=["too long", "negative", "fraction", "number", "list", "unstorable", "digits", "infinite", "deep"],
)
def test_what_cannot_be_triggered_is_refused_in_webinys_words(alice: Caller, arguments: str, code: str) -> None:
    assert code_of(did(alice, f"triggerTask(definition: syncArticles, {arguments}) {ANSWER}")) == code
    assert not BackgroundRun.objects.exists()


@pytest.mark.parametrize("delay", ['"60"', "true", "1e999", "9" * 5000], ids=["text", "true", "infinite", "digits"])
def test_what_is_no_number_is_refused_by_graphql_itself(alice: Caller, delay: str) -> None:
    verb = f"triggerTask(definition: syncArticles, delay: {delay}) {ANSWER}"
    assert "Give a number." in refused(alice, f"mutation {{ backgroundTasks {{ {verb} }} }}")


class Rows(serializers.Serializer[Any]):
    rows = serializers.IntegerField(min_value=1)


def test_wrong_fields_of_the_input_are_told_each(alice: Caller, defined: Any) -> None:
    defined(id="checked", title="Checked", input=Rows)
    answer = did(alice, f"triggerTask(definition: checked, input: {{ rows: 0 }}) {ANSWER}")
    assert code_of(answer) == "VALIDATION_FAILED_INVALID_FIELDS"
    assert list(answer["error"]["data"]["invalidFields"]) == ["rows"]
    assert answer["error"]["stack"] is None


def test_a_task_is_aborted_with_its_message(alice: Caller) -> None:
    row = make_background_run(alice.application, State.RUNNING)
    answer = did(alice, f'abortTask(id: "{row.pk}", message: "Enough.") {ANSWER}')
    assert (answer["data"]["taskStatus"], answer["error"]) == ("aborted", None)
    row.run.refresh_from_db()
    assert (row.run.state, row.run.error) == (State.ABORTED, "Enough.")
    again = did(alice, f'abortTask(id: "{row.pk}") {ANSWER}')
    assert code_of(again) == "TASK_ABORT_ERROR"
    assert again["error"]["message"] == "Cannot abort a task that is not pending or running!"


def test_a_task_that_is_over_is_deleted_and_no_other(alice: Caller) -> None:
    over, runs = (make_background_run(alice.application, state) for state in (State.FAILED, State.RUNNING))
    assert did(alice, f'deleteTask(id: "{over.pk}") {DONE}') == {"data": True, "error": None}
    assert code_of(did(alice, f'deleteTask(id: "{over.pk}") {DONE}')) == "TASK_NOT_FOUND"
    assert code_of(did(alice, f'deleteTask(id: "{runs.pk}") {DONE}')) == "TASK_DELETE_ERROR"
    assert list(BackgroundRun.objects.values_list("pk", flat=True)) == [runs.pk]


def test_another_tenants_task_is_not_there(alice: Caller) -> None:
    theirs = make_background_run(make_application("Charlie's"), State.RUNNING)
    assert code_of(did(alice, f'abortTask(id: "{theirs.pk}") {ANSWER}')) == "TASK_NOT_FOUND"
    assert code_of(did(alice, f'deleteTask(id: "{theirs.pk}") {DONE}')) == "TASK_NOT_FOUND"


def test_several_verbs_are_done_in_their_order_and_each_counts_as_a_request(alice: Caller) -> None:
    row = make_background_run(alice.application, State.RUNNING)
    query = f"""mutation {{ backgroundTasks {{
      first: deleteTask(id: "{row.pk}") {{ error {{ code }} }}
      abortTask(id: "{row.pk}") {{ error {{ code }} }}
      ...last }} }}
      fragment last on WebinyBackgroundTaskMutation {{ deleteTask(id: "{row.pk}") {{ data }} }}"""
    shown = data(alice, query)["backgroundTasks"]
    assert shown == {
        "first": {"error": {"code": "TASK_DELETE_ERROR"}}, "abortTask": {"error": None}, "deleteTask": {"data": True},
    }  # fmt: skip
    document: Any = parsed(query)
    operation, fragment = document.definitions
    assert verbs_in(operation.selection_set, {"last": fragment}, GROUPS) == 3


# Rights

TRIGGER = "triggerTask(definition: syncArticles) { data { id } error { message code } }"
VERBS = {
    "triggerTask": (TRIGGER, Scope.WRITE),
    "abortTask": ('abortTask(id: "x") { data { id } error { message code } }', Scope.WRITE),
    "deleteTask": ('deleteTask(id: "x") { data error { message code } }', Scope.BACKGROUND_DELETE),
}


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_needs_its_own_scope_and_no_other(alice: Caller, name: str) -> None:
    verb, scope = VERBS[name]
    query = f"mutation {{ backgroundTasks {{ {verb} }} }}"
    assert data(caller_for(alice.application, scopes=[scope]), query)["backgroundTasks"][name]
    others = [one for one in (Scope.READ, Scope.WRITE, Scope.BACKGROUND_DELETE) if one != scope]
    answer = ask(caller_for(alice.application, scopes=others), query)
    [error] = answer.body["errors"]
    assert (answer.status, error["extensions"]["code"]) == (200, "FORBIDDEN")
    assert error["message"] == f"This token lacks the scope “{scope}”."
    assert "data" not in answer.body


def test_one_verb_without_its_scope_and_none_is_done(alice: Caller) -> None:
    there = make_background_run(alice.application, State.SUCCEEDED)
    caller = caller_for(alice.application, scopes=[Scope.READ, Scope.WRITE])
    for groups in (
        f'backgroundTasks {{ {TRIGGER} deleteTask(id: "{there.pk}") {{ data }} }}',
        f'backgroundTasks {{ {TRIGGER} }} again: backgroundTasks {{ deleteTask(id: "{there.pk}") {{ data }} }}',
    ):
        answer = ask(caller, f"mutation {{ {groups} }}")
        [error] = answer.body["errors"]
        assert (answer.status, error["extensions"]["code"]) == (200, "FORBIDDEN")
        assert error["message"] == "This token lacks the scope “background:delete”."
        assert error["locations"][0]["column"] == groups.index("deleteTask") + len("mutation { ") + 1
        assert "data" not in answer.body
    assert [row.pk for row in BackgroundRun.objects.all()] == [there.pk]


def test_logs_that_may_not_be_read_keep_what_would_be_answered_with_them_from_being_done(alice: Caller) -> None:
    logs = "triggerTask(definition: syncArticles) { data { logs { id } } }"
    query = f"mutation {{ backgroundTasks {{ a: {TRIGGER} b: {logs} }} }}"
    assert "lacks the scope “read”" in refused(caller_for(alice.application, scopes=[Scope.WRITE]), query)
    assert not BackgroundRun.objects.exists()


@pytest.mark.parametrize("left_out", ["@include(if: false)", "@skip(if: $no)"])
def test_a_verb_that_is_left_out_needs_no_scope(alice: Caller, left_out: str) -> None:
    query = (
        f"mutation M($no: Boolean = true) {{ backgroundTasks {{ {TRIGGER} deleteTask(id: 1) {left_out} {{ data }} }} }}"
    )
    query = query if "$no)" in left_out else query.replace("M($no: Boolean = true) ", "")
    answer = data(caller_for(alice.application, scopes=[Scope.WRITE]), query)
    assert list(answer["backgroundTasks"]) == ["triggerTask"]


def test_each_verb_of_a_group_has_its_scope() -> None:
    verbs = SCHEMA.type_map["WebinyBackgroundTaskMutation"].fields  # type: ignore[attr-defined]
    assert {f"WebinyBackgroundTaskMutation.{name}" for name in verbs} <= SCOPES.keys()


def test_logs_of_what_was_changed_need_the_right_to_read(alice: Caller) -> None:
    query = "mutation { backgroundTasks { triggerTask(definition: syncArticles) { data { logs { id } } } } }"
    writer = caller_for(alice.application, scopes=[Scope.WRITE])
    assert refused(writer, query) == "This token lacks the scope “read”."
    both = caller_for(alice.application, scopes=[Scope.WRITE, Scope.READ])
    assert data(both, query) == {"backgroundTasks": {"triggerTask": {"data": {"logs": []}}}}


def test_what_stands_beside_the_group_needs_its_rights_as_ever(alice: Caller) -> None:
    query = f'mutation {{ deleteJob(name: "x") {{ name }} backgroundTasks {{ {TRIGGER} }} }}'
    assert ask(caller_for(alice.application, scopes=[Scope.READ]), query).status == 403
    assert ask(caller_for(alice.application, scopes=[Scope.WRITE]), query).status == 403
    assert not BackgroundRun.objects.exists()


def test_a_token_of_the_cache_gets_nowhere(alice: Caller) -> None:
    assert ask(caller_for(alice.application, scopes=[Scope.CACHE_READ]), "{ __typename }").status == 403


def answered_to(caller: Caller, query: str, *scopes: Scope) -> tuple[Any, list[int]]:
    """What a person with these rights is answered on the page, and what it counts for beyond one request."""
    spent: list[int] = []
    asker = Asker(caller.application, OPERATOR, frozenset(scopes))
    return answer(asker, query, spend=spent.append), spent


def test_each_verb_in_the_group_counts_as_a_request(alice: Caller) -> None:
    often = " ".join(f"a{number}: {TRIGGER}" for number in range(5))
    _, spent = answered_to(alice, f"mutation {{ backgroundTasks {{ {often} }} }}", Scope.WRITE)
    assert spent == [4]


def test_a_viewer_is_told_of_their_role_and_not_of_tokens(alice: Caller) -> None:
    told, _ = answered_to(alice, f"mutation {{ backgroundTasks {{ {TRIGGER} }} }}", Scope.READ)
    assert [error["message"] for error in told["errors"]] == ["Your role does not allow this: it needs “Editor”."]
