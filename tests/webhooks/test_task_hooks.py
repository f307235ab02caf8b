"""The hook of a webhook task: made, fitted and ended with it, and what earlier versions left in its table."""

from functools import partial
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import RequestFactory

from badgerjobs.lib.tokens import digest_of
from badgerjobs.runs.models import Overlap, Run, Runnable, State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tasks import services
from tasks.models import Task
from tests.factories import NOW, make_application, make_delivery, make_hook, make_runnable, make_task
from tests.runs.together import behind
from webhooks.models import KIND, Example, Hook, TransformVersion
from webhooks.receiving.addressed import find
from webhooks.task_hooks import address_of_task, fit_task_hook, rotate_task_hook
from webhooks.transforms.example_services import add_example

pytestmark = pytest.mark.django_db

CODE = "return {variables: {ID: body.id}}"
DELIVERIES = import_module("webhooks.migrations.0002_deliveries")


@pytest.fixture
def shop() -> Application:
    return make_application()


def made(application: Application, tag: str = "categories", **fields: Any) -> Task:
    given = {"type": "webhook", "selection": "contains", "pattern": "{{ID}}", "transform": CODE, **fields}
    return services.create_task(application=application, tag=tag, by=OPERATOR, now=NOW, **given)


def changed(task: Task, **fields: Any) -> Task:
    return services.update_task(task=task, by=OPERATOR, now=NOW, **fields)


def test_a_webhook_task_gets_a_hook_with_its_name_and_transform(shop: Application) -> None:
    task = made(shop, name="Categories")
    hook = Hook.objects.get()
    assert (hook.task_id, hook.tag, hook.name, hook.transform) == (task.pk, "task:categories", "Categories", CODE)
    assert (hook.runnable.kind, hook.runnable.overlap) == (KIND, Overlap.ALLOW)
    assert hook.runnable_id != task.runnable_id
    assert list(hook.versions.values_list("number", "code", "made_by")) == [(1, CODE, "operator")]


def test_what_the_task_is_changed_to_its_hook_is_too_as_a_version(shop: Application) -> None:
    task = made(shop)
    secret = Hook.objects.get().secret
    changed(task, name="All", transform=f"{CODE} // all")
    changed(task, pattern="category-{{ID}}")
    hook = Hook.objects.get()
    assert (hook.name, hook.transform, hook.transform_version) == ("All", f"{CODE} // all", 2)
    assert hook.secret == secret


def test_what_is_set_on_the_hook_itself_survives_a_change_of_its_task(shop: Application) -> None:
    task = made(shop)
    Hook.objects.update(rate=3, verification="github", settings={"secret": "s"})
    changed(task, name="All")
    hook = Hook.objects.get()
    assert (hook.rate, hook.verification, hook.settings) == (3, "github", {"secret": "s"})


@pytest.mark.parametrize("end", ["delete", "change its type"])
def test_a_hook_ends_with_its_task_or_its_type_and_leaves_nothing_that_runs(shop: Application, end: str) -> None:
    task, other = made(shop), make_hook(shop, "another")
    hook = Hook.objects.get(task=task)
    make_delivery(hook, State.QUEUED)
    if end == "delete":
        services.delete_task(task=task, by=OPERATOR, now=NOW)
    else:
        changed(task, type="on_demand", transform="", pattern="all")
    assert find(hook.secret) is None
    assert list(Hook.objects.all()) == [other]
    assert not Runnable.objects.filter(pk=hook.runnable_id).exists()
    assert not Run.objects.exists()
    assert not TransformVersion.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_deletes_a_task_waits_for_who_saves_an_example_of_its_hook_and_takes_that_along() -> None:
    task = made(make_application())
    save = partial(add_example, hook=Hook.objects.get(), name="paid", by=OPERATOR, now=NOW, body="1")
    behind(save, partial(services.delete_task, task=task, by=OPERATOR, now=NOW))
    assert (Task.objects.count(), Hook.objects.count(), Example.objects.count()) == (0, 0, 0)


def test_a_task_of_another_type_has_no_hook(shop: Application) -> None:
    made(shop, type="on_demand", transform="", pattern="all")
    assert not Hook.objects.exists()


def test_a_rotated_task_hook_is_found_by_its_new_secret_alone(shop: Application) -> None:
    task = made(shop)
    before = Hook.objects.get().secret
    services.rotate_webhook(task=task, by=OPERATOR, now=NOW)
    hook = Hook.objects.get()
    assert (find(before), hook.previous_digest) == (None, None)
    assert hook.digest == digest_of(hook.secret) != digest_of(before)
    assert address_of_task(task, RequestFactory().get("/")) == f"http://testserver/hooks/{hook.secret}"


def test_a_task_without_a_hook_has_no_address_until_it_is_given_one(shop: Application) -> None:
    task = make_task(shop, type="webhook")
    assert address_of_task(task, RequestFactory().get("/")) is None
    hook = rotate_task_hook(task, now=NOW)
    assert task.hook == hook


def test_fitting_a_hook_twice_changes_nothing(shop: Application) -> None:
    task = make_task(shop, type="webhook", transform=CODE)
    hooks = [fit_task_hook(task, by="alice", now=NOW) for _ in range(2)]
    assert hooks[0] == hooks[1]
    assert [TransformVersion.objects.count(), Runnable.objects.count()] == [1, 2]


def test_a_hook_of_an_earlier_version_gets_a_runnable_and_the_name_and_transform_of_its_task() -> None:
    shop = make_application()
    shop.retries = 7
    shop.save()
    task = make_task(shop, "categories", type="webhook", name="Categories", transform=CODE)
    bare = make_task(shop, "bare", type="webhook")
    shared = make_runnable(shop, name="what the column needs here")
    for one in (task, bare):
        make_hook(shop, f"earlier-{one.tag}", task=one)
    Hook.objects.filter(task=task).update(runnable=shared)
    secret = Hook.objects.get(task=task).secret

    DELIVERIES.give_runnables(apps, _Editor())

    hook = Hook.objects.get(task=task)
    assert (hook.tag, hook.name, hook.transform, hook.transform_version) == ("task:categories", "Categories", CODE, 1)
    assert (hook.secret, hook.versions.get().code) == (secret, CODE)
    runnable = hook.runnable
    assert runnable != shared
    assert (runnable.kind, runnable.overlap, runnable.retries, runnable.name) == (KIND, "allow", 7, "task:categories")
    other = Hook.objects.get(task=bare)
    assert (other.transform, other.transform_version, other.versions.count()) == ("", 0, 0)


class _Editor:
    """What executes statements in the place of a schema editor, which would begin a transaction of its own."""

    def execute(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)
