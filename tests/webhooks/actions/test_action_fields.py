"""What the actions of a hook are told when it is saved, and how they are shown."""

from typing import Any

import pytest

from badgerjobs.workspaces.models import Application
from tests.factories import make_application, make_event, make_job, make_key, make_source, make_task
from tests.tasks.background.defined import define
from webhooks import actions, checks
from webhooks.actions import ACTIONS, action_of


@pytest.fixture
def stocked(shop: Application) -> Application:
    """One target of each type, and a stranger's."""
    event = make_event(shop)
    make_job(shop)
    make_job(shop, "event-job", event=event, endpoint="", verb="")
    make_task(shop)
    make_key(make_source(shop))
    make_task(make_application("Charlie's"), "theirs")
    return shop


def errors_of(kind: str, application: Application | None, **fields: Any) -> dict[str, str]:
    """Field → what is wrong with it."""
    given = action_of(kind).serializer(data=fields, context={"application": application} if application else {})
    given.is_valid()
    return {name: str(said[0]) for name, said in given.errors.items()}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "fields", "whole"),
    [
        ("sync", {"task": "a-task"}, {"task": "a-task"}),
        ("job", {"job": "a-job"}, {"job": "a-job", "input": "nothing"}),
        ("job", {"job": "event-job", "input": "body"}, {"job": "event-job", "input": "body"}),
        ("event", {"event": "an-event", "input": "value"}, {"event": "an-event", "input": "value"}),
        ("value", {"key": "product-1"}, {"key": "product-1"}),
        ("value", {"key": "product-{{ID}}"}, {"key": "product-{{ID}}"}),
    ],
)
def test_what_is_there_is_taken(stocked: Application, kind: str, fields: Any, whole: Any) -> None:
    given = action_of(kind).serializer(data=fields, context={"application": stocked})
    assert given.is_valid(), given.errors
    assert given.validated_data == whole


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "fields", "field", "sentence"),
    [
        ("sync", {"task": "theirs"}, "task", "There is no task with the tag “theirs” in this application."),
        ("sync", {}, "task", "Give this field: it is needed."),
        ("sync", {"task": "a-task", "tusk": 1}, "tusk", "There is no such field: did you mean task?"),
        ("sync", {"task": "a/b"}, "task", "A tag may hold neither “/” nor control characters"),
        ("sync", {"task": "a\x00b"}, "task", "A tag may hold neither “/” nor control characters"),
        ("value", {"key": "product-\x00{{ID}}"}, "key", "Leave the null character out."),
        ("job", {"job": "none"}, "job", "There is no job with the tag “none” in this application."),
        ("job", {"job": "a-job", "input": "body"}, "input", "The job “a-job” makes a call of its own, which takes no"),
        ("job", {"job": "a-job", "input": "all"}, "input", "“all” is none of nothing, variables, value, body."),
        ("async_job", {"async_job": "none"}, "async_job", "There is no async job with the tag “none” in this"),
        ("event", {"event": "none"}, "event", "There is no event with the tag “none” in this application."),
        ("value", {"key": "product-2"}, "key", "There is no key with the name “product-2” in this application."),
        ("value", {"key": "product-{{"}, "key", "“{{” is no placeholder: write {{CATEGORY_ID}}."),
        ("value", {"key": "x" * 401}, "key", "Give at most 400 characters: this has 401."),
    ],
)
def test_what_is_not_there_is_refused(
    stocked: Application, kind: str, fields: dict[str, Any], field: str, sentence: str
) -> None:
    assert errors_of(kind, stocked, **fields)[field].startswith(sentence)


@pytest.mark.parametrize("kind", ["sync", "job", "event", "async_job", "background_task"])
def test_nothing_is_looked_for_without_an_application(kind: str) -> None:
    assert errors_of(kind, None, **{action_of(kind).field: "none"}) == {}


@pytest.mark.parametrize(
    ("kind", "fields", "target", "address"),
    [
        ("sync", {"task": "a-task"}, "a-task", "/tasks/a-task/"),
        ("job", {"job": "a job"}, "a job", "/jobs/a%20job/"),
        ("event", {"event": "an-event"}, "an-event", "/events/an-event/"),
        ("async_job", {"async_job": "prices"}, "prices", "/async-jobs/prices/"),
        ("background_task", {"definition": "testingRun"}, "testingRun", "/background-tasks/definitions/testingRun/"),
        ("value", {"key": "product-1"}, "product-1", "/keys/product-1/"),
        ("value", {"key": "product-{{ID}}"}, "product-{{ID}}", ""),
        ("value", {"key": "product-{{"}, "product-{{", ""),
        ("value", {"key": "a/b"}, "a/b", ""),
    ],
)
def test_each_names_its_target_and_the_page_of_it(
    shop: Application, kind: str, fields: dict[str, str], target: str, address: str
) -> None:
    action = action_of(kind)
    assert action.target(fields) == target
    assert action.address(shop, fields) == (f"/a/{shop.slug}{address}" if address else "")


@pytest.mark.django_db
@pytest.mark.usefixtures("registry")
def test_the_targets_that_there_are_are_offered_by_name(stocked: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    define()
    make_task(stocked, "z", name="Another task")
    found = {kind: of(stocked) for kind in ACTIONS if (of := action_of(kind).offered)}
    assert found == {
        "sync": [("z", "Another task"), ("a-task", "a-task")],
        "job": [("a-job", "a-job"), ("event-job", "event-job")],
        "event": [("an-event", "an-event")],
        "async_job": [],
        "background_task": [("syncArticles", "Sync articles")],
    }


@pytest.mark.parametrize("kind", ACTIONS)
def test_every_type_says_what_it_does_and_has_the_field_of_its_target(kind: str) -> None:
    action = action_of(kind)
    assert action.word
    assert action.hint.endswith(".")
    assert action.field in action.serializer().fields
    assert all(field.help_text for field in action.serializer().fields.values())


def test_tables_that_are_right_are_passed() -> None:
    assert checks.every_row_of_hooks_leads_somewhere() == []


@pytest.mark.parametrize(
    ("path", "why"),
    [("webhooks.nowhere.SYNC", "No module named"), ("webhooks.actions.sync.act", "is not an Action.")],
)
def test_a_row_that_leads_nowhere_stops_the_start(path: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(actions.ACTIONS, "lost", path)

    (error,) = checks.every_row_of_hooks_leads_somewhere()

    assert error.msg.startswith(f"The action 'lost' is not at {path}: ")
    assert why in error.msg
