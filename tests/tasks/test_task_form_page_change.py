"""The form of a task that is there: it changes what was touched, and nothing else."""

from typing import Any

import pytest
from django.utils import timezone

from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tasks.models import Task
from tasks.services import create_task, pause_task
from tests.clients import browser_in
from tests.tasks.task_form_page import at, opened, send, wrong
from tests.tasks.task_pages import text_of


def stored() -> list[dict[str, Any]]:
    """The task and its runnable, but for when they were written."""
    rows: list[Any] = [Task.objects.values().get(), Runnable.objects.values().get(task__isnull=False)]
    return [{name: row[name] for name in row if name not in {"updated_at", "planned_at"}} for row in rows]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"type": "scheduled", "cron": "0 8 * * 1", "time_zone": "Europe/Zurich", "spread_s": 60, "max_runs": 9},
        {"type": "webhook", "pattern": "p-{{ID}}", "transform": "return {\n  variables: {ID: 1}\n}"},
        {"enabled": False, "selection": "tag"},
        {"overlap": "allow", "priority": 7},
    ],
    ids=["on demand", "scheduled", "webhook", "paused", "policies"],
)
def test_a_form_that_nobody_touched_changes_nothing(shop: Application, fields: dict[str, Any]) -> None:
    given = {"type": "on_demand", "selection": "contains", "pattern": "product", **fields}
    create_task(application=shop, tag="refresh", by=OPERATOR, now=timezone.now(), **given)
    before = stored()
    form = opened(shop)
    form["transform"] = form["transform"].replace("\n", "\r\n")  # as browsers send it
    answer = browser_in(shop).post(at(shop, "edit", "refresh"), form)
    assert answer.status_code == 302, wrong(answer)
    assert stored() == before


def test_its_type_is_changed_and_what_that_has_no_use_for_goes(shop: Application) -> None:
    send(shop, type="webhook", transform="return {variables: {}}", pattern="p")
    edit = at(shop, "edit", "refresh")
    answer = browser_in(shop).post(edit, {**opened(shop), "type": "scheduled", "preset": "hourly"})
    assert answer.status_code == 302, wrong(answer)
    task = Task.objects.get()
    assert (task.type, task.transform, task.runnable.preset) == ("scheduled", "", "hourly")
    answer = browser_in(shop).post(edit, {**opened(shop), "type": "webhook"})
    assert answer["Location"] == edit
    assert (Task.objects.get().runnable.preset, Task.objects.get().runnable.overlap) == ("", "queue_all")


def test_what_somebody_else_changed_meanwhile_is_not_lost_without_a_word(shop: Application) -> None:
    send(shop)
    mine = {**opened(shop), "pattern": "mine"}
    task = Task.objects.get()
    pause_task(task=task, by=OPERATOR, now=timezone.now())
    answer = browser_in(shop).post(at(shop, "edit", "refresh"), mine)
    assert "Somebody else changed this while the form was open." in text_of(answer)
    assert Task.objects.get().pattern == "product"
    again = browser_in(shop).post(at(shop, "edit", "refresh"), {**mine, "seen": answer.context["seen"]})
    assert again.status_code == 302
    assert Task.objects.get().pattern == "mine"
