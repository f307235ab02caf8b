"""What tests of the engine stand on."""

import pytest

from badgerjobs.runs.models import Runnable
from tests.factories import make_application, make_runnable
from tests.runs.staging import Stage


@pytest.fixture
def runnable(db: None) -> Runnable:
    """Something of Alice's that can run, and is not planned."""
    return make_runnable(make_application())


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Where executors are put up."""
    return Stage(monkeypatch)
