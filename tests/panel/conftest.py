"""What tests of the panel stand on."""

import pytest
from django.test import Client

from badgerjobs.workspaces.models import Application
from tests.clients import NAMES, browser_in
from tests.factories import make_member, make_person


@pytest.fixture
def alice(shop: Application) -> Client:
    """A browser in which the owner is signed in."""
    return browser_in(shop)


@pytest.fixture
def everybody(shop: Application) -> None:
    """Somebody of each role works in the workspace; Charlie is a stranger."""
    for role, name in NAMES.items():
        make_member(shop.workspace, role, f"{name}@example.com")
    make_person("charlie@example.com")
