import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where, as root, another account may pass: pytest's own temporary folders are closed to others."""
    path = Path(tempfile.mkdtemp(prefix="badgerjobs-tests-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)
