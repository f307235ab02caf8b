"""One stack for all of these tests; each test starts the beats and workers it needs."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.receiver import Receiver
from tests.e2e.stack import Stack


@pytest.fixture(scope="session")
def _whole_stack() -> Iterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="badgerjobs-e2e-"))
    folder.chmod(0o711)  # as root, the servers run as another account and must come through
    try:
        with Receiver() as receiver, Stack(folder, receiver) as stack:
            yield stack
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def stack(_whole_stack: Stack) -> Iterator[Stack]:
    """Servers and web, with neither beat nor worker, no job and no run."""
    yield _whole_stack
    _whole_stack.clear()


@pytest.fixture(scope="module")
def _one_of_each(_whole_stack: Stack) -> Iterator[Stack]:
    _whole_stack.start("beat-1", "worker-1")
    yield _whole_stack
    _whole_stack.clear()


@pytest.fixture
def one_of_each(_one_of_each: Stack) -> Iterator[Stack]:
    """The same with a beat and a worker that go on from test to test of a file: its own `stack` is this one."""
    yield _one_of_each
    _one_of_each.forget()


@pytest.fixture
def receiver(stack: Stack) -> Receiver:
    """What the jobs call."""
    return stack.receiver
