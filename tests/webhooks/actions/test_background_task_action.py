"""A hook that triggers a background task."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.exceptions import ValidationError

from badgerjobs.runs.models import Cause, Run, State
from badgerjobs.workspaces.models import Application
from tests.factories import NOW, make_application, make_hook
from tests.tasks.background.defined import define, define_private
from tests.tasks.background.pages_of import ArticlesInput
from tests.webhooks.actions.doings import BODY, doing, done, no_body, said
from webhooks.action_fields import actions_checked
from webhooks.actions import action_of
from webhooks.actions import background_task as task_action
from webhooks.models import ActState

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]

FIELDS = {"definition": "syncArticles"}


@pytest.mark.parametrize(
    ("given", "stored"),
    [("nothing", {}), ("variables", {"ID": "7"}), ("value", {"rows": 1}), ("body", BODY)],
)
def test_it_is_triggered_with_what_the_action_says(shop: Application, given: str, stored: Any) -> None:
    define()

    wanted = doing(shop, {**FIELDS, "input": given}, {"ID": "7"}, {"rows": 1})
    [did] = done("background_task", replace(wanted, runnable_id=make_hook(shop, "orders").runnable_id))

    run = Run.objects.select_related("background").get()
    assert said(did) == (ActState.DONE, "Triggered the background task “syncArticles”.", True)
    assert (did.caused, run.kind, run.cause, run.state) == (run.pk, "background", Cause.WEBHOOK, State.QUEUED)
    assert (run.input, run.application, run.due_at) == (stored, shop, NOW)
    assert run.background.created_by == {
        "id": str(wanted.run_id), "displayName": "the webhook orders", "type": "run",
    }  # fmt: skip


def test_each_answers_for_itself_in_its_place(shop: Application) -> None:
    define()
    define_private()

    dids = done(
        "background_task",
        doing(shop, {"definition": "none"}),
        doing(shop, FIELDS),
        doing(shop, {"definition": "secret"}),
        doing(shop, {**FIELDS, "input": "body"}, body=no_body),
        doing(shop, {**FIELDS, "input": "value"}, value=[1]),
        doing(make_application("Charlie's"), FIELDS),
    )

    assert [(did.state, did.again) for did in dids] == [
        (ActState.FAILED, False),
        (ActState.DONE, True),
        (ActState.FAILED, False),
        (ActState.FAILED, False),
        (ActState.FAILED, False),
        (ActState.DONE, True),
    ]
    assert dids[2].said == 'The definition "secret" does not exist.'
    assert dids[4].said.startswith("The input must be an object")
    assert {did.caused for did in dids} - {None} == set(Run.objects.values_list("pk", flat=True))


def test_an_input_that_it_does_not_take_is_told_with_its_fields(shop: Application) -> None:
    define(input=ArticlesInput)
    [did] = done("background_task", doing(shop, {**FIELDS, "input": "value"}, value={"pages": 501}))
    sentence = "site: Give this field: it is needed; pages: Give at most 500: this is 501."
    assert said(did) == (ActState.FAILED, sentence, False)


def test_what_a_hook_refuses_is_tried_again(shop: Application) -> None:
    def refuse(context: Any, given: Any) -> None:
        raise ValueError("Not now.")

    define(on_before_trigger=refuse)
    [did] = done("background_task", doing(shop, FIELDS))
    assert said(did) == (ActState.FAILED, "Not now.", True)


def test_one_with_the_same_key_stands_for_it(shop: Application) -> None:
    define(deduplicate=lambda given: given["ID"])
    first, second = done(
        "background_task", *[doing(shop, {**FIELDS, "input": "variables"}, {"ID": "7"}) for _ in range(2)]
    )
    assert first.caused == second.caused
    assert second.said == "One of “syncArticles” with the same key is not over: it stands for this one, too."


def test_a_hundred_cost_as_many_statements_as_one(shop: Application) -> None:
    define()
    counted = []
    for count in (1, 100):
        with CaptureQueriesContext(connection) as queries:
            done("background_task", *(doing(shop, FIELDS) for _ in range(count)))
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_long_inputs_are_stored_in_steps(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_action, "INPUT_BYTES", 20)
    define()

    wanted = [doing(shop, {**FIELDS, "input": "variables"}, {"N": str(n)}) for n in range(5)]
    dids = done("background_task", *wanted)

    inputs: dict[Any, Any] = dict(Run.objects.values_list("pk", "input"))
    assert [inputs[did.caused]["N"] for did in dids] == ["0", "1", "2", "3", "4"]


def test_so_many_that_webhooks_triggered_may_wait_and_the_rest_is_tried_again(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_action, "MOST_WAITING", 2)
    define()
    dids = done("background_task", *[doing(shop, FIELDS) for _ in range(3)])
    assert [did.state for did in dids] == [ActState.DONE, ActState.DONE, ActState.FAILED]
    assert dids[2].again
    assert dids[2].said.startswith("1,000 background tasks that webhooks of the application triggered are not over")
    Run.objects.filter(pk__in=[dids[0].caused]).update(state=State.SUCCEEDED)
    assert [did.state for did in done("background_task", *[doing(shop, FIELDS)] * 2)] == [
        ActState.DONE,
        ActState.FAILED,
    ]


@pytest.mark.parametrize("definition", ["none", "secret"])
def test_a_hook_is_told_which_definition_there_is_not(shop: Application, definition: str) -> None:
    define()
    define_private()
    with pytest.raises(ValidationError, match=f"no background task with the ID “{definition}”"):
        actions_checked([{"type": "background_task", "definition": definition}], shop)
    [kept] = actions_checked([{"type": "background_task", **FIELDS}], shop)
    assert kept == {"name": "background_task", "type": "background_task", **FIELDS, "input": "nothing"}


def test_only_public_definitions_are_offered_and_have_a_page(shop: Application) -> None:
    define()
    define_private()
    action = action_of("background_task")
    assert action.offered
    assert action.offered(shop) == [("syncArticles", "Sync articles")]
    assert action.address(shop, FIELDS).endswith("/background-tasks/definitions/syncArticles/")
    assert action.address(shop, {"definition": "secret"}) == ""
