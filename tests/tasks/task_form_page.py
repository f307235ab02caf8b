"""The form of a task, as its tests need it: its addresses, what a browser sends, what came of it."""

import json
from typing import Any

from django.urls import reverse

from badgerjobs.workspaces.models import Application
from tasks.models import Task
from tests.clients import browser_in

FORM = {
    "name": "refresh", "type": "on_demand", "selection": "contains", "pattern": "product", "enabled": "on",
    "when": "preset", "preset": "daily", "time_zone": "UTC",
}  # fmt: skip


def at(shop: Application, name: str = "new", *args: str) -> str:
    return reverse(f"tasks:{name}", args=[shop.slug, *args])


def send(shop: Application, to: str = "", headers: Any = None, **given: Any) -> Any:
    return browser_in(shop).post(to or at(shop), {**FORM, **given}, headers=headers or {})


def part(shop: Application, name: str, target: str, **given: Any) -> Any:
    """What htmx is given for a part of the form."""
    answer = send(shop, at(shop, name), {"HX-Request": "true", "HX-Target": target}, **given)
    assert answer.templates[0].name == f"tasks/edit/{target}.html"
    return answer


def wrong(answer: Any) -> dict[str, str]:
    return {name: str(errors[0]) for name, errors in answer.context["form"].errors.items()}


def named(task: Task) -> list[str]:
    return list(task.keys.order_by("name").values_list("name", flat=True))


def difference(**told: Any) -> str:
    return json.dumps(told)


def opened(shop: Application, tag: str = "refresh") -> dict[str, Any]:
    """What the form sends that nobody has touched."""
    context = browser_in(shop).get(at(shop, "edit", tag)).context
    given = {name: value for name, value in context["form"].initial.items() if value not in (None, False)}
    return {**{name: "on" if value is True else value for name, value in given.items()}, "seen": context["seen"]}
