"""Workers are rung beside the calls: at once, and once for many."""

import threading
from collections.abc import Iterator

import pytest

from webhooks.receiving import ringing
from webhooks.receiving.ringing import Bell


class _Rings:
    """Each ring waits until the test lets it go."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Semaphore(0), threading.Semaphore(0)
        self.count = 0

    def __call__(self, queue: str) -> None:
        assert queue == "io"
        self.count += 1
        self.begun.release()
        assert self.go.acquire(timeout=10)


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Rings]:
    found = _Rings()
    monkeypatch.setattr(ringing, "ring", found)
    monkeypatch.setattr(ringing, "RING_EVERY_S", 0)
    yield found
    for _ in range(10):
        found.go.release()


def test_what_comes_while_it_rings_is_rung_for_once_more(rings: _Rings) -> None:
    bell = Bell()
    bell.touch()
    assert rings.begun.acquire(timeout=10)
    for _ in range(5):
        bell.touch()
    rings.go.release()
    assert rings.begun.acquire(timeout=10)
    assert rings.count == 2
    assert not bell._wanted.is_set()


def test_a_ring_that_fails_is_not_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    bell, rung = Bell(), threading.Semaphore(0)

    def broken(_: str) -> None:
        rung.release()
        raise ValueError("a bug")

    monkeypatch.setattr(ringing, "ring", broken)
    for _ in range(2):
        bell.touch()
        assert rung.acquire(timeout=10)


def test_a_bell_has_one_thread_however_many_touch_it(rings: _Rings) -> None:
    bell = Bell()
    before = threading.active_count()
    for _ in range(5):
        bell.touch()
    assert rings.begun.acquire(timeout=10)
    assert threading.active_count() == before + 1


def test_a_process_that_was_forked_has_a_thread_of_its_own(rings: _Rings, monkeypatch: pytest.MonkeyPatch) -> None:
    bell = Bell()
    before = threading.active_count()
    bell.touch()
    monkeypatch.setattr("os.getpid", lambda: -1)
    bell.touch()
    assert threading.active_count() == before + 2
