"""Browsers without a window, signed in as whoever a test needs. Real ones are in tests/browser, programs in callers."""

from typing import Any

from django.conf import settings
from django.test import Client

from badgerjobs.workspaces.models import Application, Member, Role, User
from tests.factories import make_member

# Who has which role, where a test does not say.
NAMES = {Role.OWNER: "alice", Role.ADMIN: "dora", Role.EDITOR: "erin", Role.VIEWER: "bob"}


def browser_of(who: User | Member | None = None, **more: Any) -> Client:
    """A browser of its own in which this person is signed in; without one, nobody is. `more` is for Django's Client."""
    client = Client(headers={"Accept": "text/html"}, **more)
    if who:
        client.force_login(who.user if isinstance(who, Member) else who, settings.AUTHENTICATION_BACKENDS[0])
    return client


def browser_in(application: Application, role: Role = Role.OWNER) -> Client:
    """The browser of somebody with this role; they are made where there is nobody."""
    workspace = application.workspace
    there = workspace.members.filter(role=role).first()
    return browser_of(there or make_member(workspace, role, f"{NAMES[role]}@example.com"))
