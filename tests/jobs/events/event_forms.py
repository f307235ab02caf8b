"""The forms of events and connections, as tests open and fill them in."""

from typing import Any

from django.test import Client
from django.urls import reverse

from badgerjobs.workspaces.models import Application
from jobs.models import Connection, Event
from tests.jobs.form_page import headers

SMTP = {"host": "smtp.example.com", "sender": "shop@example.com", "user": "shop", "password": "hunter2"}


def new(shop: Application, type_name: str, what: str = "event") -> str:
    return f"{reverse(f'jobs:new-{what}', args=[shop.slug])}?type={type_name}"


def edit(row: Event | Connection) -> str:
    what = "event" if isinstance(row, Event) else "connection"
    return reverse(f"jobs:edit-{what}", args=[row.application.slug, row.tag])


def opened(alice: Client, address: str) -> dict[str, Any]:
    """What the form sends that nobody has touched."""
    context = alice.get(address).context
    form = context["form"]
    shown = {name: form[name].value() for name in form.fields if not name.endswith("_headers")}
    sent = {name: "on" if value is True else value for name, value in shown.items() if value not in (None, False)}
    return {**sent, **headers(*form.pairs), "seen": context["seen"]}


def of(**fields: Any) -> dict[str, Any]:
    """Fields of the configuration as the form calls them."""
    return {f"configuration_{name}": value for name, value in fields.items()}
