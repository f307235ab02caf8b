"""What every test may ask for. The servers themselves come from tests/servers.py."""

import pytest
from django.core.cache import cache

from badgerjobs.web import limits
from tests.callers import Caller, make_caller


@pytest.fixture(autouse=True)
def _empty_cache(request: pytest.FixtureRequest) -> None:
    """Rate limits and the like live in the cache: a test that has the database starts with none."""
    marked = request.node.get_closest_marker("django_db")
    if marked or {"db", "transactional_db"} & set(request.fixturenames):
        cache.clear()
        limits._quiet_until = 0.0


@pytest.fixture
def alice(db: None) -> Caller:
    """Somebody with a token of the application under test."""
    return make_caller("Alice's")


@pytest.fixture
def charlie(db: None) -> Caller:
    """A stranger: somebody with a token of another tenant's application."""
    return make_caller("Charlie's")
