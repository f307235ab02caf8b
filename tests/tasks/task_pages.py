"""The pages of tasks, as their tests need them: tasks, who looks and presses, what a person reads, what it costs."""

import re
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, Role
from tasks.models import Task
from tasks.services import create_task
from tests.clients import browser_in
from tests.factories import NOW, make_run

COUNTS = {"keys": 1000, "succeeded": 997, "failed": 3, "changed": 12, "bytes": 2_000_000}


def made(shop: Application, tag: str = "products", **fields: Any) -> Task:
    """A task through its service, so that it is planned and has what its type needs."""
    given = {"type": "on_demand", "selection": "contains", "pattern": "product", **fields}
    return create_task(application=shop, tag=tag, by=OPERATOR, now=timezone.now(), **given)


def look(shop: Application, name: str = "list", *args: str, role: Role = Role.OWNER, **query: Any) -> Any:
    return browser_in(shop, role).get(reverse(f"tasks:{name}", args=[shop.slug, *args]), query)


def press(shop: Application, name: str, *args: str, role: Role = Role.OWNER, **given: Any) -> Any:
    return browser_in(shop, role).post(reverse(f"tasks:{name}", args=[shop.slug, *args]), given, follow=True)


def text_of(answer: Any) -> str:
    """What a person reads of it, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def failed_in_part(task: Task, number: int = 1, **fields: Any) -> Run:
    given = {"started_at": NOW, "finished_at": NOW, "output": COUNTS, **fields}
    return make_run(task.runnable, State.FAILED, number=number, **given)


def queries(shop: Application, name: str = "list", *args: str, **query: Any) -> int:
    browser, at = browser_in(shop), reverse(f"tasks:{name}", args=[shop.slug, *args])
    browser.get(at, query)
    with CaptureQueriesContext(connection) as caught:
        assert browser.get(at, query).status_code == 200
    return len(caught)
