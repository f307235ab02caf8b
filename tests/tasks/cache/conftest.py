"""What tests of delivery may ask for."""

from collections.abc import Collection, Iterator
from datetime import datetime

import pytest

from tasks.cache import callers, copies, counting, filling
from tasks.syncs import asking
from tests.tasks.cache.stored import clock

__all__ = ["clock"]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """A process remembers tokens, what it asked for and what it counted; a test's own begins with nothing."""
    for memory in (callers._remembered, filling._asked, counting._counted):
        memory.clear()
    yield
    counting._counted.clear()


@pytest.fixture(autouse=True)
def _on_a_slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims do not run out while a test stands still."""
    monkeypatch.setattr(copies, "CLAIM_S", 60.0)
    monkeypatch.setattr(copies, "NO_COPY_S", 60.0)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The keys that readers have had fetched, call by call. Nobody fetches them."""
    calls: list[list[int]] = []

    def ask(key_ids: Collection[int], now: datetime) -> list[int]:
        calls.append(sorted(key_ids))
        return list(key_ids)

    monkeypatch.setattr(asking, "ask", ask)
    return calls
