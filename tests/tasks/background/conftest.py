"""What tests of background tasks may ask for."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.tasks.background.processes import Line, environment


@pytest.fixture(scope="module")
def _whole_line(django_db_setup: None, django_db_blocker: Any) -> Iterator[Line]:
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        for name, value in environment().items():
            patch.setenv(name, value)
        line = Line()
        yield line
        line.close()


@pytest.fixture
def line(_whole_line: Line, transactional_db: None) -> Line:
    """A pool of two processes, which are there from test to test of a file."""
    return _whole_line
