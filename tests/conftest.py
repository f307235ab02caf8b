"""What every test may ask for. The servers themselves come from tests/servers.py."""

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _empty_cache(request: pytest.FixtureRequest) -> None:
    """Rate limits and the like live in the cache: a test that has the database starts with none."""
    if {"db", "transactional_db"} & set(request.fixturenames):
        cache.clear()
