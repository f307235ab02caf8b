"""What the tests of accounts share."""

from typing import Any

import pytest

from tests.workspaces.visitors import QUICK_HASHERS


@pytest.fixture
def open_house(settings: Any) -> None:
    """Everybody may make an account, and passwords cost no time."""
    settings.SIGN_UP = "open"
    settings.PASSWORD_HASHERS = QUICK_HASHERS
