"""The people of the workspace in which the panel's tests take place, and its addresses."""

from django.test import Client
from django.urls import reverse

from badgerjobs.workspaces.models import Application, User, Workspace
from tests.clients import browser_of

POLICY = {
    "retry_policy": "exponential", "retries": "5", "retry_step": "60", "retry_delays": "", "retry_for": "",
    "requests_per_second": "", "retention_days": "7", "warn_after": "3", "pause_after": "", "probe_after_s": "15",
}  # fmt: skip


def browser(name: str) -> Client:
    return browser_of(User.objects.get(email=f"{name}@example.com"))


def address(name: str, place: Application | Workspace) -> str:
    return reverse(f"panel:{name}", args=[place.slug])
