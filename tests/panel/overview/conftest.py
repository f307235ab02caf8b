"""What tests of the overview stand on."""

import pytest
from django.test import Client

from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.models import Application
from tests.factories import make_application, make_job, make_member
from tests.panel.overview.readers import browser_of


@pytest.fixture
def shop(db: None) -> Application:
    return make_application("Example Shop", "shop")


@pytest.fixture
def runnable(shop: Application) -> Runnable:
    """What runs, of a job that nobody planned."""
    return make_job(shop, "reprice").runnable


@pytest.fixture
def alice(shop: Application) -> Client:
    """A browser in which the owner is signed in."""
    return browser_of(make_member(shop.workspace))
