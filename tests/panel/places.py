"""The people of the workspace in which the panel's tests take place, and its addresses."""

from django.test import Client
from django.urls import reverse

from badgerjobs.workspaces.models import Application, User, Workspace
from tests.clients import browser_of

POLICY = {"retries": "5", "retry_step_s": "60", "requests_per_second": "", "retention_days": "7"}


def browser(name: str) -> Client:
    return browser_of(User.objects.get(email=f"{name}@example.com"))


def address(name: str, place: Application | Workspace) -> str:
    return reverse(f"panel:{name}", args=[place.slug])
