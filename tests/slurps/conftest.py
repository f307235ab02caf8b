"""What tests of slurpers share."""

from typing import Any

import pytest

from slurps.slurpers import REGISTRY, slurper


@pytest.fixture
def in_python() -> Any:
    """A slurper that an operator's package has registered."""

    @slurper(id="cleanProducts", title="Clean products")
    def clean(_ctx: Any, data_map: Any) -> Any:
        return data_map["products"]

    yield clean
    del REGISTRY.by_id["cleanProducts"]
