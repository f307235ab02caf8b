"""A key that was never filled: its first reader has it fetched once, and all who come wait for that."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import Run
from badgerjobs.web.seats import Seats
from badgerjobs.workspaces.models import Application
from tasks.cache import filling
from tasks.models import CachedValue, CacheKey
from tasks.syncs import asking
from tests.callers import PROBLEM, Caller
from tests.factories import NOW, value_of
from tests.tasks.cache.stored import ERROR, Clock, keep, note_failure

Meanwhile = Callable[[CacheKey], Any]


class Waiting:
    """A reader who waits sees what happened meanwhile each time that they look again; time passes for nobody."""

    def __init__(self, *meanwhile: Callable[[], Any]) -> None:
        self.meanwhile = list(meanwhile)
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.meanwhile:
            self.meanwhile.pop(0)()


@pytest.fixture(autouse=True)
def _all_seats_are_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "_seats", Seats(settings.WEB_THREADS // 4))


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Waiting]:
    def wait(*meanwhile: Callable[[], Any]) -> Waiting:
        waiting = Waiting(*meanwhile)
        monkeypatch.setattr(filling, "time", waiting)
        return waiting

    return wait


def fetched(key: CacheKey) -> None:
    CachedValue.objects.filter(key=key).update(**value_of('"it"'))


def nothing() -> None:
    """Nothing happens."""


def test_the_first_reader_waits_until_it_is_fetched(
    alice: Caller, clock: Clock, asked: list[list[int]], waits: Callable[..., Waiting]
) -> None:
    key = keep(alice.application, body=None)
    waits(nothing, nothing, lambda: fetched(key))
    answer = alice.get("/cache/product-1")
    assert (answer.status, answer.body, answer.headers["X-Cache"]) == (200, "it", "miss")
    assert asked == [[key.pk]]
    assert alice.get("/cache/product-1").headers["X-Cache"] == "hit"


def test_a_key_without_a_row_for_its_value_is_one_that_was_never_filled(
    alice: Caller, clock: Clock, asked: list[list[int]], waits: Callable[..., Waiting]
) -> None:
    key = keep(alice.application, body=None)
    CachedValue.objects.filter(key=key).delete()
    waits(lambda: CachedValue.objects.create(key=key, **value_of("1")))
    assert alice.get("/cache/product-1").body == 1


def test_really_asked_for_it_is_fetched_by_one_run(alice: Caller, clock: Clock, waits: Callable[..., Waiting]) -> None:
    key = keep(alice.application, body=None)
    runs: list[list[int]] = []
    waits(lambda: runs.append(asking.ask([key.pk], NOW)), lambda: fetched(key))
    assert alice.get("/cache/product-1").status == 200
    assert runs == [[]]  # the reader's own was there already


def test_one_whose_fetch_fails_is_told_why_and_waits_no_longer(
    alice: Caller, clock: Clock, asked: list[list[int]], waits: Callable[..., Waiting]
) -> None:
    key = keep(alice.application, body=None)
    waiting = waits(lambda: note_failure(key, 1))
    answer = alice.get("/cache/product-1")
    assert (answer.status, answer.content_type, answer.headers["Retry-After"]) == (502, PROBLEM, "10")
    assert ERROR in answer.body["detail"]
    assert waiting.now == filling.LOOKS_EVERY_S


def test_an_earlier_failure_is_not_told_while_the_next_try_is_under_way(
    alice: Caller, clock: Clock, waits: Callable[..., Waiting], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = keep(alice.application, body=None)
    note_failure(key, -60)

    def ask(keys: list[int], now: Any) -> list[int]:
        CachedValue.objects.filter(pk__in=keys).update(asked_at=NOW)
        return keys

    monkeypatch.setattr(asking, "ask", ask)
    waits(nothing, lambda: fetched(key))
    assert alice.get("/cache/product-1").body == "it"


def test_who_waits_too_long_is_told_to_come_again(
    alice: Caller, clock: Clock, asked: list[list[int]], waits: Callable[..., Waiting]
) -> None:
    keep(alice.application, body=None)
    waiting = waits()
    answer = alice.get("/cache/product-1")
    assert (answer.status, answer.content_type, answer.headers["Retry-After"]) == (503, PROBLEM, "2")
    assert filling.WAITS_S <= waiting.now < filling.WAITS_S + 2 * filling.LOOKS_EVERY_S
    assert not filling._seats._taken


def occupied(application: Application) -> int:
    """Let readers of an application wait until there is no seat for another one. Returns how many they are."""
    count = 0
    while filling._seats.take(application.pk):
        count += 1
    return count


def test_of_the_quarter_of_the_threads_that_may_wait_one_applications_readers_take_half(
    alice: Caller, charlie: Caller, clock: Clock, asked: list[list[int]], waits: Callable[..., Waiting]
) -> None:
    own = keep(alice.application, body=None)
    theirs = keep(charlie.application, body=None)
    assert occupied(charlie.application) == settings.WEB_THREADS // 8
    waits(lambda: fetched(own))
    assert alice.get("/cache/product-1").body == "it"
    waiting = waits()
    assert (charlie.get("/cache/product-1").status, waiting.now) == (503, 0.0)
    assert asked == [[own.pk], [theirs.pk]]


@pytest.mark.parametrize(
    ("count", "each"), [(0, [1, 0, 0]), (1, [1, 0, 0]), (2, [1, 1, 0]), (3, [1, 1, 1]), (5, [2, 2, 1])]
)
def test_there_are_so_many_seats_for_all_applications(
    count: int, each: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "_seats", Seats(count))
    assert [occupied(Application(pk=pk)) for pk in (1, 2, 3)] == each


def test_a_seat_that_was_given_back_is_for_the_next() -> None:
    seats = Seats(1)
    assert seats.take(1)
    assert not seats.take(2)
    seats.give_back(1)
    assert seats.take(2)


def test_a_key_that_is_deleted_meanwhile_is_a_404(
    alice: Caller, clock: Clock, asked: list[list[int]], waits: Callable[..., Waiting]
) -> None:
    key = keep(alice.application, body=None)
    waits(lambda: CacheKey.objects.filter(pk=key.pk).delete())
    assert alice.get("/cache/product-1").status == 404


@pytest.mark.django_db
def test_a_key_is_asked_for_again_after_a_while(asked: list[list[int]], waits: Callable[..., Waiting]) -> None:
    waiting = waits()
    filling.ask_for([1])
    filling.ask_for([1, 2])
    waiting.now += filling.ASKED_AGAIN_S
    filling.ask_for([1])
    assert asked == [[1], [2], [1]]


def test_when_it_was_asked_for_is_the_databases_time_though_a_hosts_clock_is_wrong(
    alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = keep(alice.application, body=None)
    hour = timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: datetime.now(UTC) + hour)
    before = database_now()

    filling.ask_for([key.pk])

    after = database_now()
    asked_at = CachedValue.objects.get().asked_at
    assert asked_at is not None
    assert before <= asked_at <= after
    assert before <= Run.objects.get().due_at <= after


def test_a_stale_value_is_served_though_nothing_can_be_asked_for(
    alice: Caller, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(alice.application, ttl_s=60)
    clock.goes_on(61)

    def ask(*_: Any) -> list[int]:
        raise OperationalError("The database is away.")

    monkeypatch.setattr(asking, "ask", ask)
    assert alice.get("/cache/product-1").headers["X-Cache"] == "stale"
