"""What tests of tasks by REST stand on."""

import pytest

from tasks.models import CacheKey
from tests.callers import Caller
from tests.factories import make_key, make_source


@pytest.fixture
def keys(alice: Caller) -> list[CacheKey]:
    """Some keys to choose from."""
    source = make_source(alice.application)
    names = ("product-1", "product-11", "product-2-de", "category-1")
    return [make_key(source, name, tags=["shop"] if name.startswith("p") else []) for name in names]
