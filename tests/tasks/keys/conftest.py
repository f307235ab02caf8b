"""A source to make keys of."""

import pytest

from badgerjobs.sources.models import DataSource
from tests.callers import Caller
from tests.factories import make_source


@pytest.fixture
def source(alice: Caller) -> DataSource:
    """Alice's source of products, which asks for PRODUCT_ID."""
    return make_source(alice.application, "products")
