"""Background tasks by REST: triggering, reading, aborting, deleting."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from rest_framework import serializers

from badgerjobs.runs.models import LogLine, Run, State
from badgerjobs.web.definitions.json_text import TOO_LARGE
from badgerjobs.workspaces.models import AuditEntry, Scope, Token
from tasks.background.api import LISTED
from tasks.models import BackgroundRun
from tests.callers import Caller, caller_for
from tests.factories import NOW, make_application, make_background_run
from tests.tasks.background.defined import define, define_private

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]

TASKS = "/background-tasks/"
MINUTE = timedelta(minutes=1)


class Rows(serializers.Serializer[Any]):
    rows = serializers.IntegerField(min_value=1, default=7)


def test_a_public_definition_is_triggered(alice: Caller) -> None:
    define(input=Rows)
    answer = alice.post(TASKS, {"definition": "syncArticles", "input": {"rows": "3"}, "name": "Now", "delay": 60})
    assert answer.status == 201
    shown = {name: answer.body[name] for name in ("name", "definition", "status", "input", "output", "parent")}
    assert shown == {
        "name": "Now", "definition": "syncArticles", "status": "pending", "input": {"rows": 3}, "output": None,
        "parent": None,
    }  # fmt: skip
    token = Token.objects.get(application=alice.application)
    assert answer.body["created_by"] == {"id": token.slug, "displayName": str(token), "type": "api-key"}
    run = Run.objects.get(pk=answer.body["id"])
    assert (run.state, run.due_at - run.created_at) == (State.SCHEDULED, MINUTE)
    assert AuditEntry.objects.filter(action="background.trigger", subject="Now").count() == 1
    assert alice.get(f"{TASKS}{run.pk}/").body == answer.body


def test_one_with_the_same_key_that_is_not_over_is_answered_again(alice: Caller) -> None:
    define(deduplicate=lambda _: "one")
    first, second = (alice.post(TASKS, {"definition": "syncArticles"}) for _ in range(2))
    assert (first.status, second.status) == (201, 200)
    assert first.body["id"] == second.body["id"]
    assert AuditEntry.objects.filter(action="background.trigger").count() == 1


def test_a_repeated_request_with_the_same_idempotency_key_triggers_one(alice: Caller) -> None:
    define()
    first, second = (alice.post(TASKS, {"definition": "syncArticles"}, Idempotency_Key="one") for _ in range(2))
    assert first.body["id"] == second.body["id"]
    assert BackgroundRun.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"definition": "secret"}, "TASK_DEFINITION_ERROR", None),
        ({"definition": "unknown"}, "TASK_DEFINITION_ERROR", None),
        ({"definition": "syncArticles", "delay": 355 * 24 * 3600}, "MAX_DELAY_ERROR", None),
        ({"definition": "syncArticles", "delay": -1}, "VALIDATION_FAILED_INVALID_FIELDS", "delay"),
        ({"definition": "syncArticles", "delay": 1.5}, "VALIDATION_FAILED_INVALID_FIELDS", "delay"),
        ({"definition": "syncArticles", "delay": "1"}, "VALIDATION_FAILED_INVALID_FIELDS", "delay"),
        ({"definition": "syncArticles", "input": []}, "VALIDATION_FAILED_INVALID_FIELDS", "input"),
        ({"definition": "syncArticles", "input": {"rows": 0}}, "VALIDATION_FAILED_INVALID_FIELDS", "input.rows"),
        ({"definition": "syncArticles", "colour": 1}, None, "colour"),
        ({}, None, "definition"),
    ],
)
def test_what_cannot_be_triggered_is_refused_with_its_code(
    alice: Caller, given: dict[str, Any], code: str | None, field: str | None
) -> None:
    define(input=Rows)
    define_private()
    answer = alice.post(TASKS, given)
    assert (answer.status, answer.body.get("code")) == (400, code)
    assert list(answer.errors) == ([field] if field else [])
    assert not BackgroundRun.objects.exists()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("[]", 'The body must be a JSON object, like {"definition": "…"}.'),
        ('{"definition": "syncArticles", "input": {"rows": 1e400}}', {"input": [TOO_LARGE]}),
        ('{"definition": "syncArticles", "delay": 1e400}', {"delay": [TOO_LARGE]}),
        ('{"definition": "secret"}', f'The definition "secret" does not exist. {LISTED}'),
    ],
    ids=["list", "input", "delay", "definition"],
)
def test_what_cannot_be_read_says_what_would_be_right(alice: Caller, body: str, said: Any) -> None:
    define(input=Rows)
    answer = alice.send("POST", TASKS, body.encode())
    assert (answer.status, answer.errors or answer.body["detail"]) == (400, said)


class Named(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=5)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["name"] == "all":
            raise serializers.ValidationError("Not all of them.")
        return attrs


def test_a_field_of_the_input_is_not_mistaken_for_one_of_the_request(alice: Caller) -> None:
    define(input=Named)
    answer = alice.post(TASKS, {"definition": "syncArticles", "input": {"name": "x" * 300}, "name": "y"})
    assert answer.errors == {"input.name": ["Give at most 5 characters: this has 300."]}
    answer = alice.post(TASKS, {"definition": "syncArticles", "input": {"name": "z"}, "name": "y" * 300})
    assert list(answer.errors) == ["name"]
    answer = alice.post(TASKS, {"definition": "syncArticles", "input": {"name": "all"}})
    assert answer.errors == {"input": ["Not all of them."]}


def test_null_is_as_if_nothing_was_given(alice: Caller) -> None:
    define()
    answer = alice.post(TASKS, {"definition": "syncArticles", "input": None, "name": None, "delay": None})
    assert (answer.status, answer.body["input"], answer.body["name"]) == (201, {}, "Sync articles")
    run = Run.objects.get(pk=answer.body["id"])
    assert run.state == State.QUEUED


def test_a_hook_that_refuses_is_a_conflict_with_its_own_code(alice: Caller) -> None:
    def refuse(_: Any, __: Any) -> None:
        raise ValueError("Not on Sundays.")

    define(on_before_trigger=refuse)
    answer = alice.post(TASKS, {"definition": "syncArticles"})
    assert (answer.status, answer.body["code"], answer.body["detail"]) == (409, "TASK_TRIGGER_ERROR", "Not on Sundays.")


@pytest.fixture
def rows(alice: Caller) -> dict[str, BackgroundRun]:
    """One of three standings, a minute after each other, and one of another tenant."""
    make_background_run(make_application("Charlie's"), name="stranger")
    states = {"waits": State.SCHEDULED, "runs": State.RUNNING, "done": State.SUCCEEDED}
    return {
        name: make_background_run(
            alice.application, state, name=name, created_at=NOW + nth * MINUTE, definition=f"d{nth}",
            run={"input": {"nth": nth}},
        )
        for nth, (name, state) in enumerate(states.items())
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", ["done", "runs", "waits"]),
        ("?status=running,success", ["done", "runs"]),
        ("?status=pending", ["waits"]),
        ("?definition=d1", ["runs"]),
        ("?search=ON", ["done"]),
        ("?since=2026-03-02T12:01:00Z", ["done", "runs"]),
        ("?until=2026-03-02T12:01:00Z", ["waits"]),
        (f"?parent={uuid4()}", []),
        ("?sort=created_at", ["waits", "runs", "done"]),
        ("?sort=-created_at", ["done", "runs", "waits"]),
        ("?sort=name", ["done", "runs", "waits"]),
        ("?sort=-name", ["waits", "runs", "done"]),
        ("?sort=status", ["waits", "runs", "done"]),
        ("?sort=-definition&until=2026-03-02T12:01:30Z", ["runs", "waits"]),
    ],
    ids=[
        "all", "running or success", "pending", "definition", "search", "since", "until", "parent", "oldest first",
        "newest first", "by name", "by name, from the end", "by status", "by definition, of some",
    ],
)  # fmt: skip
def test_tasks_are_listed_newest_first_and_narrowed(
    alice: Caller, rows: dict[str, BackgroundRun], asked: str, found: list[str]
) -> None:
    listed = alice.get(f"{TASKS}{asked}").body["results"]
    assert [each["name"] for each in listed] == found
    assert not any({"input", "output"} & each.keys() for each in listed)


def test_children_are_found_by_their_parent(alice: Caller, rows: dict[str, BackgroundRun]) -> None:
    parent = rows["runs"].pk
    BackgroundRun.objects.filter(pk=rows["waits"].pk).update(parent_id=parent)
    [child] = alice.get(f"{TASKS}?parent={parent}").body["results"]
    assert (child["name"], child["parent"]) == ("waits", str(parent))


@pytest.mark.parametrize(
    "sort", ["created_at", "saved_at", "started_at", "-started_at", "finished_at", "-finished_at", "name", "status"]
)
def test_pages_of_a_chosen_order_lead_to_all_and_back(alice: Caller, rows: dict[str, BackgroundRun], sort: str) -> None:
    in_one = [each["name"] for each in alice.get(f"{TASKS}?sort={sort}").body["results"]]
    pages = [alice.get(f"{TASKS}?sort={sort}&limit=1").body]
    while pages[-1]["next"]:
        pages.append(alice.get(pages[-1]["next"]).body)
    assert [page["results"][0]["name"] for page in pages] == in_one
    assert len(in_one) == 3
    back = pages[-1]["previous"]
    assert alice.get(back).body["results"] == pages[1]["results"]
    assert pages[0]["previous"] is None


def test_a_cursor_holds_for_its_own_order_alone(alice: Caller, rows: dict[str, BackgroundRun]) -> None:
    later = alice.get(f"{TASKS}?sort=name&limit=1").body["next"]
    answer = alice.get(later.replace("sort=name", "sort=status"))
    assert (answer.status, list(answer.errors)) == (400, ["cursor"])


def test_a_wrong_order_names_those_that_there_are(alice: Caller) -> None:
    names = "created_at, saved_at, started_at, finished_at, name, definition, status, each also with - in front"
    answer = alice.get(f"{TASKS}?sort=colour&status=odd")
    assert (answer.status, answer.errors) == (
        400,
        {
            "sort": [f"“colour” is none of {names}."],
            "status": ["“odd” is none of pending, running, success, failed, aborted."],
        },
    )


@pytest.mark.parametrize("asked", ["status=odd", "parent=none", "since=soon"])
def test_a_filter_that_is_wrong_is_refused_by_its_name(alice: Caller, asked: str) -> None:
    answer = alice.get(f"{TASKS}?{asked}")
    assert (answer.status, list(answer.errors)) == (400, [asked.partition("=")[0]])


def test_one_is_aborted_with_its_children_and_once(alice: Caller, rows: dict[str, BackgroundRun]) -> None:
    parent = rows["runs"].pk
    BackgroundRun.objects.filter(pk=rows["waits"].pk).update(parent_id=parent)
    answer = alice.post(f"{TASKS}{parent}/abort/", {"message": "Enough."})
    assert (answer.status, answer.body["status"], answer.body["error"]) == (200, "aborted", "Enough.")
    assert alice.get(f"{TASKS}{rows['waits'].pk}/").body["status"] == "aborted"
    again = alice.post(f"{TASKS}{parent}/abort/")
    assert (again.status, again.body["code"]) == (409, "TASK_ABORT_ERROR")


def test_children_are_spared_if_it_is_said_so(alice: Caller, rows: dict[str, BackgroundRun]) -> None:
    BackgroundRun.objects.filter(pk=rows["waits"].pk).update(parent_id=rows["runs"].pk)
    alice.post(f"{TASKS}{rows['runs'].pk}/abort/", {"cascade": False})
    assert alice.get(f"{TASKS}{rows['waits'].pk}/").body["status"] == "pending"


def test_what_is_over_is_deleted_and_nothing_else(alice: Caller, rows: dict[str, BackgroundRun]) -> None:
    deleter = caller_for(alice.application, scopes=[Scope.BACKGROUND_DELETE])
    assert deleter.delete(f"{TASKS}{rows['done'].pk}/").status == 204
    assert deleter.delete(f"{TASKS}{rows['done'].pk}/").status == 404
    refused = deleter.delete(f"{TASKS}{rows['runs'].pk}/")
    assert (refused.status, refused.body["code"]) == (409, "TASK_DELETE_ERROR")
    assert alice.get(f"{TASKS}{rows['done'].pk}/").status == 404


def test_the_log_of_a_task_is_read_newest_first_and_by_iteration(alice: Caller, rows: dict[str, BackgroundRun]) -> None:
    for iteration in (1, 2):
        LogLine.objects.create(
            run=rows["runs"].run, application=alice.application, iteration=iteration, attempt=iteration, level="info",
            message=f"line {iteration}", data={"a": 1}, created_at=NOW,
        )  # fmt: skip
    at = f"{TASKS}{rows['runs'].pk}/logs/"
    assert [line["message"] for line in alice.get(at).body["results"]] == ["line 2", "line 1"]
    assert alice.get(f"{at}?iteration=1").body["results"] == [
        {
            "iteration": 1, "attempt": 1, "rescues": 0, "level": "info", "message": "line 1", "data": {"a": 1},
            "created_at": "2026-03-02T12:00:00Z",
        }
    ]  # fmt: skip
    assert list(alice.get(f"{at}?iteration=x").errors) == ["iteration"]


def test_another_tenants_task_is_not_there(alice: Caller, rows: dict[str, BackgroundRun]) -> None:
    at = f"{TASKS}{BackgroundRun.objects.get(name='stranger').pk}/"
    answers = [alice.get(at), alice.get(f"{at}logs/"), alice.post(f"{at}abort/"), alice.delete(at)]
    assert [answer.status for answer in answers] == [404] * 4


def test_public_definitions_are_listed_and_private_ones_are_not(alice: Caller) -> None:
    define(input=Rows, description="All of them.", retries=2)
    define_private()
    [shown] = alice.get(f"{TASKS}definitions/").body
    schema = shown.pop("input_schema")
    assert list(schema["properties"]) == ["rows"]
    assert shown == {
        "id": "syncArticles", "title": "Sync articles", "description": "All of them.", "max_iterations": 500,
        "timeout_s": 900, "retries": 2,
    }  # fmt: skip
