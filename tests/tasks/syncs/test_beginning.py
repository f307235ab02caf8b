"""Which keys a run means: as its task is when it begins, filled by a webhook, or those that failed before."""

from typing import Any
from uuid import uuid4

import pytest

from badgerjobs.runs import fleet
from badgerjobs.runs.models import LogLine, State
from badgerjobs.runs.outcomes import Done, Failed, Later
from badgerjobs.workspaces.models import Application
from tasks.cache import copies
from tasks.models import CachedValue, KeySync, Task, TaskType
from tasks.syncs import beginning, perform
from tasks.webhook_variables import NoRoomError
from tests.factories import make_application, make_run, make_sync, make_task
from tests.runs.claims import ANOTHER, ME, claimed
from tests.tasks.syncs.stages import Sources, begun, make_keys, performed

pytestmark = pytest.mark.django_db(transaction=True)

ID_OF_BODY = "return {variables: {ID: body.id}}"


def of_webhook(application: Application, **fields: Any) -> Task:
    """A task that means the keys with the number of a webhook's body in their names."""
    given = {"type": TaskType.WEBHOOK, "pattern": "product-{{ID}}", "transform": ID_OF_BODY, **fields}
    return make_task(application, **given)


def given(body: Any) -> dict[str, Any]:
    return {"body": body, "headers": {}}


def test_a_webhooks_variables_fill_the_pattern(shop: Application, sources: Sources) -> None:
    make_keys(shop, 3)
    task = of_webhook(shop)
    run = begun(task, input=given({"id": "0002"}))

    assert isinstance(performed(run, task), Done)

    assert sources.asked == ["2"]
    assert LogLine.objects.get(run=run).message == "1 key contains “product-0002”."


@pytest.mark.parametrize(
    ("fields", "body", "told"),
    [
        ({}, {"other": 1}, ("pattern", "ID is not among the variables: there are none.")),
        ({}, {"id": ""}, ("pattern", "ID is empty")),
        ({"transform": "return {variables: {OTHER: 1}}"}, {}, ("pattern", "ID is not among the variables: OTHER.")),
        ({"transform": "return 1"}, {}, ("variables", "The transform must return an object")),
        ({"transform": "throw new Error('no id')"}, {}, ("variables", "no id")),
        ({"transform": ""}, {}, ("pattern", "ID is not among the variables: there are none.")),
    ],
)
def test_what_cannot_be_filled_fails_the_run_with_a_sentence_and_fetches_nothing(
    fields: dict[str, Any], body: Any, told: tuple[str, str], shop: Application, sources: Sources
) -> None:
    make_keys(shop, 2)
    task = of_webhook(shop, **fields)

    outcome = performed(begun(task, input=given(body)), task)

    assert isinstance(outcome, Failed)
    error_class, said = told
    assert (outcome.error_class, outcome.retry) == (error_class, False)
    assert said in outcome.error
    assert not KeySync.objects.exists()


def test_a_webhook_task_that_is_run_without_a_body_has_no_variables(shop: Application, sources: Sources) -> None:
    task = of_webhook(shop)

    outcome = performed(begun(task), task)

    assert isinstance(outcome, Failed)
    assert outcome.error_class == "pattern"


def test_braces_in_the_pattern_of_another_task_mean_themselves(shop: Application, sources: Sources) -> None:
    make_keys(shop, 1)
    task = make_task(shop, pattern="{{ID}}")

    assert performed(begun(task), task).output["keys"] == 0  # type: ignore[union-attr]


def test_a_transform_for_which_the_sandbox_has_no_room_comes_again(
    shop: Application, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any, **__: Any) -> Any:
        raise NoRoomError

    monkeypatch.setattr(perform, "variables_of", full)
    task = of_webhook(shop)

    assert performed(begun(task, input=given({})), task) == Later(perform.AGAIN_S)


def test_only_the_keys_that_failed_are_fetched_again_and_those_that_wait_have_failed_with_their_run(
    shop: Application, sources: Sources
) -> None:
    keys = make_keys(shop, 4)
    task = make_task(shop)
    before = make_run(task.runnable, State.FAILED, number=3)
    for key, state in zip(keys, ["succeeded", "failed", "waiting", "failed"], strict=True):
        make_sync(before, key, state)
    keys[3].delete()
    run = begun(task, input={"syncs_of": str(before.pk)})

    assert isinstance(performed(run, task), Done)

    assert sources.asked == ["2", "3"]
    assert LogLine.objects.get(run=run).message == "2 keys that failed in run 3: fetched again."


@pytest.mark.parametrize("is_there", [True, False])
def test_keys_of_another_tenants_run_are_none(is_there: bool, shop: Application, sources: Sources) -> None:
    other = make_application("Charlie's")
    theirs = make_task(other)
    before = begun(theirs)
    make_sync(before, make_keys(other, 1)[0], "failed")
    task = make_task(shop)
    run = begun(task, input={"syncs_of": str(before.pk if is_there else uuid4())})

    assert performed(run, task).output["keys"] == 0  # type: ignore[union-attr]
    assert LogLine.objects.get(run=run).message == "0 keys that failed in a run that was deleted: fetched again."


def test_keys_that_were_chosen_twice_have_one_row_each(shop: Application) -> None:
    make_keys(shop, 3)
    task = make_task(shop)
    mine = claimed(begun(task), worker=ME)

    for _ in range(2):
        beginning.choose(mine, task, task.pattern, now=fleet.database_now())

    assert KeySync.objects.count() == 3


def test_who_has_not_the_run_chooses_nothing(shop: Application) -> None:
    make_keys(shop, 3)
    task = make_task(shop)

    beginning.choose(claimed(begun(task), worker=ANOTHER), task, task.pattern, now=fleet.database_now())

    assert not KeySync.objects.exists()


def test_copies_are_forgotten_when_the_values_stand(
    shop: Application, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_keys(shop, 2, body='"old"')
    forgotten: dict[str, str | None] = {}

    def forget(application_id: int, names: Any) -> None:
        assert application_id == shop.pk
        for name in names:
            forgotten[name] = CachedValue.objects.get(key__name=name).body

    monkeypatch.setattr(copies, "forget", forget)
    task = make_task(shop)
    performed(begun(task), task)

    assert forgotten == {"product-0001": '"new"', "product-0002": '"new"'}
