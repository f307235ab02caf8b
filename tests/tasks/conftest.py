"""Keys to make tasks of."""

import pytest

from badgerjobs.workspaces.models import Application
from tasks.models import CacheKey
from tests.callers import Caller
from tests.factories import make_key, make_source


@pytest.fixture
def keys(alice: Caller) -> list[CacheKey]:
    """Some keys to choose from."""
    source = make_source(alice.application)
    names = ("product-1", "product-11", "product-2-de", "category-1")
    return [make_key(source, name, tags=["shop"] if name.startswith("p") else []) for name in names]


@pytest.fixture
def products(shop: Application) -> list[str]:
    """`product-1` to `product-12`, in the order of their names."""
    source = make_source(shop)
    return sorted(make_key(source, f"product-{number}").name for number in range(1, 13))
