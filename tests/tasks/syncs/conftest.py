"""What tests of syncs stand on."""

import pytest

from tasks.syncs import syncing
from tests.tasks.syncs.stages import sources, still

__all__ = ["sources", "still"]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for a key: its run is put off at once."""
    monkeypatch.setattr(syncing, "PATIENCE_S", 2.0)
