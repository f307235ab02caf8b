"""What pages of tasks and runs show of hooks and deliveries: the hook of a webhook task, and where a run came from."""

import pytest
from django.core.checks import run_checks
from django.urls import reverse

from badgerjobs.runs.models import Cause, Run, State
from badgerjobs.runs.origins import ORIGINS
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, Role
from tasks.models import Task
from tasks.services import create_task, update_task
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_delivery, make_hook, make_run
from tests.webhooks.pages.test_deliveries_page import at, make_act

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Application:
    return make_application()


@pytest.fixture
def task(shop: Application) -> Task:
    given = {"type": "webhook", "selection": "contains", "pattern": "{{ID}}", "transform": "return {variables: body}"}
    return create_task(application=shop, tag="refresh", by=OPERATOR, now=NOW, **given)


def page(shop: Application, name: str, role: Role = Role.OWNER, *, part: str = "") -> str:
    headers = {"HX-Request": "true", "HX-Target": part} if part else {}
    browser = browser_in(shop, role)
    return browser.get(reverse(f"tasks:{name}", args=[shop.slug, "refresh"]), headers=headers).content.decode()


def test_the_page_of_a_webhook_task_shows_what_came_and_leads_to_its_hook(shop: Application, task: Task) -> None:
    delivery = make_delivery(task.hook, State.SUCCEEDED)
    shown = page(shop, "task")
    assert f'id="delivery-{delivery.pk}"' in shown
    assert f'href="{at(shop, "hook", task.hook.tag)}"' in shown
    assert f"{at(shop)}?hook=task%3Arefresh" in shown


def test_its_part_comes_alone(shop: Application, task: Task) -> None:
    delivery = make_delivery(task.hook, State.SUCCEEDED)
    part = page(shop, "task", part="webhook")
    assert part.strip().startswith('<section id="webhook"')
    assert f'id="delivery-{delivery.pk}"' in part


def test_a_task_of_another_type_shows_none(shop: Application, task: Task) -> None:
    update_task(task=task, by=OPERATOR, now=NOW, type="on_demand", transform="", pattern="product")
    assert 'id="webhook"' not in page(shop, "task")
    assert "Came last" not in page(shop, "edit")


def test_the_form_of_a_webhook_task_shows_what_came_last(shop: Application, task: Task) -> None:
    assert "Came last" not in page(shop, "edit")
    make_delivery(task.hook, State.FAILED)
    shown = page(shop, "edit")
    assert "Came last" in shown
    assert at(shop, "transform", task.hook.tag) in shown


def test_who_may_only_look_is_told_no_address(shop: Application, task: Task) -> None:
    make_delivery(task.hook)
    assert task.hook.secret not in page(shop, "task", Role.VIEWER)


def run_page(run: Run) -> str:
    address = reverse("runs:run", args=[run.application.slug, run.pk])
    return browser_in(run.application).get(address).content.decode()


def test_the_page_of_a_run_leads_to_the_delivery_that_caused_it(shop: Application, task: Task) -> None:
    run = make_run(task.runnable, State.SUCCEEDED, number=1, cause=Cause.WEBHOOK)
    delivery = make_delivery(task.hook, State.SUCCEEDED)
    make_act(delivery, caused=run.pk)
    assert f'<a id="origin" href="{at(shop, "delivery", delivery.pk)}">a delivery</a>' in run_page(run)


def test_a_run_whose_delivery_is_not_kept_any_more_has_its_cause_alone(task: Task) -> None:
    run = make_run(task.runnable, State.SUCCEEDED, number=1, cause=Cause.WEBHOOK)
    assert 'id="origin"' not in run_page(run)
    others = make_delivery(make_hook(make_application("Charlie's")), State.SUCCEEDED)
    make_act(others, caused=run.pk)
    assert 'id="origin"' not in run_page(run)


def test_a_run_by_hand_came_from_no_delivery(shop: Application, task: Task) -> None:
    run = make_run(task.runnable, State.SUCCEEDED, number=1)
    make_act(make_delivery(task.hook, State.SUCCEEDED), caused=run.pk)
    assert 'id="origin"' not in run_page(run)


def test_a_row_of_origins_that_leads_nowhere_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ORIGINS, "probe", "webhooks.deliveries.origins.nothing")
    said = [str(one.msg) for one in run_checks() if one.id == "runs.E001"]
    assert len(said) == 1
    assert "webhooks.deliveries.origins.nothing" in said[0]
