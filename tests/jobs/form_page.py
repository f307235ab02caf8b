"""The form's page, as its tests need it: its addresses, what a browser sends, what a person reads."""

import re
from typing import Any

from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from badgerjobs.workspaces.models import Application
from jobs.models import Job

FORM = {
    "name": "refresh", "verb": "POST", "endpoint": "https://example.com/", "when": "hand", "time_zone": "UTC",
    "timeout": "30", "enabled": "on", "retryable": "on",
}  # fmt: skip
SECRET = "Bearer very-secret"


def new(shop: Application) -> str:
    return reverse("jobs:new", args=[shop.slug])


def edit(job: Job) -> str:
    return reverse("jobs:edit", args=[job.application.slug, job.tag])


def headers(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"header_name": [name for name, _ in pairs], "header_value": [value for _, value in pairs]}


def said(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def text_of(answer: Any) -> str:
    """What a person reads of it, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def opened(alice: Client, job: Job) -> dict[str, Any]:
    """What the form sends that nobody has touched."""
    answer = alice.get(edit(job))
    given = {name: value for name, value in answer.context["form"].initial.items() if name != "headers"}
    shown = {name: "on" if value is True else value for name, value in given.items() if value not in (None, False)}
    return {**shown, **headers(*answer.context["form"].initial["headers"]), "seen": answer.context["seen"]}
