"""Copies in Valkey: fast while they are there, never what was changed or deleted, and missed by nobody."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from redis.exceptions import RedisError, ResponseError

from badgerjobs.web import spared_cache
from badgerjobs.web.spared_cache import packed
from badgerjobs.workspaces.models import Application
from tasks.cache import copies, reading, rows
from tasks.cache.freshness import Stored
from tasks.models import CachedValue, CacheKey
from tests.callers import Caller
from tests.factories import make_application, make_token, value_of
from tests.tasks.cache.stored import BODY, Clock, keep


def edit(key: CacheKey, body: str) -> None:
    """Another value, as whoever writes one leaves it."""
    CachedValue.objects.filter(key=key).update(**value_of(body))
    copies.forget(key.application_id, [key.name])


def copied(application: Application, name: str = "product-1") -> Any:
    return copies.exchange(packed(b"GET", copies.place(application.pk, name)), 1)


@contextmanager
def counted_looks() -> Iterator[list[str]]:
    """The names whose rows are looked for meanwhile, by whatever thread."""
    looked: list[str] = []
    stored = rows.stored

    def look(application_id: int, names: Any) -> dict[str, Stored]:
        looked.extend(names)
        return stored(application_id, names)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "stored", look)
        yield looked


def test_a_second_read_asks_the_database_for_nothing(alice: Caller, clock: Clock) -> None:
    keep(alice.application)
    first = alice.get("/cache/product-1")
    with CaptureQueriesContext(connection) as queries:
        second = alice.get("/cache/product-1")
    assert len(queries) == 0
    assert (second.body, second.headers) == (first.body, first.headers)


def test_a_copied_value_costs_one_trip_to_valkey(alice: Caller, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(alice.application)
    alice.get("/cache/product-1")
    trips: list[bytes] = []
    sent = spared_cache._sent

    def send(line: Any, packed: bytes, answers: int) -> list[Any]:
        trips.append(packed)
        return sent(line, packed, answers)

    monkeypatch.setattr(spared_cache, "_sent", send)
    monkeypatch.setattr(cache, "get", None)
    assert alice.get("/cache/product-1").status == 200
    assert len(trips) == 1


@pytest.mark.parametrize("body", ["1", "null", '"a\\nb"', '{\n"a": 1\n}', "-1", "[]", '"?"'])
def test_a_copy_is_what_was_copied(body: str, shop: Application) -> None:
    keep(shop, body=body)
    value = rows.stored(shop.pk, ["product-1"])["product-1"]
    assert copies.read(copies.written(value)) == value


@pytest.mark.parametrize("found", [b"[1]\n1", b"[", b"[[]]", b"x", b"{}", b""])
def test_what_another_version_has_written_is_no_copy(found: bytes, alice: Caller, clock: Clock) -> None:
    keep(alice.application, body="1")
    copies.exchange(packed(b"SET", copies.place(alice.application.pk, "product-1"), found), 1)
    assert alice.get("/cache/product-1").body == 1
    assert alice.get("/cache/?key=product-1").body["values"] == {"product-1": 1}


def test_an_edited_value_is_read_at_once(alice: Caller, clock: Clock) -> None:
    key = keep(alice.application, body="1")
    assert alice.get("/cache/product-1").body == 1
    edit(key, "2")
    assert alice.get("/cache/product-1").body == 2
    assert alice.get("/cache/?key=product-1").body["values"] == {"product-1": 2}


def test_a_deleted_key_is_gone_at_once(alice: Caller, clock: Clock) -> None:
    key = keep(alice.application)
    assert alice.get("/cache/product-1").status == 200
    key.delete()
    copies.forget(alice.application.pk, ["product-1"])
    assert [alice.get("/cache/product-1").status for _ in range(2)] == [404, 404]


def test_a_key_made_after_it_was_asked_for_is_there_at_once(alice: Caller, clock: Clock) -> None:
    assert alice.get("/cache/product-1").status == 404
    keep(alice.application, body="1")
    assert alice.get("/cache/product-1").body == 1


@pytest.mark.parametrize("change", [lambda key: edit(key, "2"), lambda key: key.delete()], ids=["edited", "deleted"])
@pytest.mark.parametrize("path", ["/cache/product-1", "/cache/?key=product-1"], ids=["one", "many"])
def test_a_reader_who_was_slow_brings_nothing_back(
    path: str, change: Callable[[CacheKey], Any], alice: Caller, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = keep(alice.application, body="1")
    pk, fill = key.pk, copies.fill

    def fill_late(*given: Any) -> None:
        """Between the look at the row and the copy of it, it is changed."""
        change(key)
        copies.forget(alice.application.pk, ["product-1"])
        fill(*given)

    with monkeypatch.context() as patch:
        patch.setattr(copies, "fill", fill_late)
        alice.get(path)
    assert copied(alice.application) == [None]
    left = CachedValue.objects.filter(key_id=pk).first()
    assert alice.get("/cache/product-1").status == (200 if left else 404)
    assert left is None or alice.get("/cache/product-1").body == 2


def test_a_claim_that_another_has_taken_over_fills_nothing(shop: Application) -> None:
    keep(shop)
    where = copies.place(shop.pk, "product-1")
    mine = copies.claim([where])
    assert copies.claim([where]) == {}
    copies.forget(shop.pk, ["product-1"])
    theirs = copies.claim([where])
    assert mine
    assert theirs
    copies.fill(mine, {where: rows.stored(shop.pk, ["product-1"])["product-1"]})
    assert copied(shop) == [theirs[where]]


@pytest.mark.django_db(transaction=True)
def test_an_emptied_valkey_costs_one_look_for_each_key_however_many_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    application = make_application()
    secret = make_token(application)
    keys = {f"key-{number}": f'"value {number}"' for number in range(20)}
    for name, body in keys.items():
        keep(application, name, body)
    # However slowly this machine looks, nobody gives up waiting for who does.
    monkeypatch.setattr(reading, "WAITS_S", 60.0)
    readers = 50
    together = threading.Barrier(readers)

    def read(_: int) -> list[Any]:
        caller = Caller(secret, application)
        try:
            together.wait(60)
            return [caller.get(f"/cache/{name}").body for name in keys]
        finally:
            connection.close()

    cache.clear()
    with counted_looks() as looked, ThreadPoolExecutor(readers) as pool:
        found = list(pool.map(read, range(readers)))
    assert found == [[body.strip('"') for body in keys.values()]] * readers
    assert sorted(looked) == sorted(keys)


def test_who_waits_for_one_that_is_gone_looks_for_the_row(
    alice: Caller, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(alice.application)
    copies.claim([copies.place(alice.application.pk, "product-1")])
    monkeypatch.setattr(reading, "WAITS_S", 0.0)
    assert alice.get("/cache/product-1").status == 200


def test_a_value_too_large_to_copy_is_read_from_its_row_each_time(
    alice: Caller, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(alice.application, body='"xxxxxxxxxx"')
    monkeypatch.setattr(copies, "LARGEST", 11)
    monkeypatch.setattr(reading, "time", _NoSleep())
    with counted_looks() as looked:
        assert [alice.get("/cache/product-1").body for _ in range(3)] == ["xxxxxxxxxx"] * 3
    assert len(looked) == 3
    assert copied(alice.application) == [copies.NO_COPY]


@pytest.mark.parametrize(
    ("told", "has_room"),
    [
        (b"used_memory:10\r\nmaxmemory:100\r\n", True),
        (b"used_memory:50\r\nmaxmemory:100\r\n", False),
        (b"used_memory:5000\r\nmaxmemory:0\r\n", True),
        (b"# nothing is told\r\n", True),
        (None, True),
    ],
    ids=["half empty", "half full", "without an end", "silent", "refused"],
)
def test_one_that_is_half_full_is_left_to_the_broker(
    told: bytes | None, has_room: bool, alice: Caller, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert copies._has_room(told) is has_room
    monkeypatch.setattr(copies, "_is_room", lambda: has_room)
    keep(alice.application)
    assert [alice.get("/cache/product-1").status for _ in range(2)] == [200, 200]
    assert (copied(alice.application) == [copies.NO_COPY]) is not has_room


def test_one_that_takes_nothing_more_keeps_no_reader_waiting(
    alice: Caller, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(alice.application)
    sent = spared_cache._sent

    def send(line: Any, packed: bytes, answers: int) -> list[Any]:
        found = sent(line, packed, answers)
        return [ResponseError("OOM command not allowed"), *found[1:]] if b"NX" in packed else found

    monkeypatch.setattr(spared_cache, "_sent", send)
    monkeypatch.setattr(reading, "time", _NoSleep())
    assert alice.get("/cache/product-1").status == 200
    assert alice.get("/cache/?key=product-1").body["missing"] == []


class _NoSleep:
    monotonic = staticmethod(time.monotonic)

    def sleep(self, _: float) -> None:
        raise AssertionError("Nobody waits.")


def test_while_valkey_is_away_values_are_read_from_their_rows(
    alice: Caller, clock: Clock, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(alice.application, body=BODY)
    monkeypatch.setattr(spared_cache, "_sent", _away)
    assert [alice.get("/cache/product-1").body["b"] for _ in range(3)] == [1, 1, 1]
    assert alice.get("/cache/?key=product-1&key=x").body["missing"] == ["x"]
    copies.forget(alice.application.pk, ["product-1"])


def _away(*_: Any) -> Any:
    raise RedisError("Nobody answers.")


def test_a_line_that_was_cut_is_made_anew(shop: Application) -> None:
    assert copied(shop) == [None]
    spared_cache._own.line._sock.close()
    assert copied(shop) == [None]
    assert spared_cache._quiet_until == 0.0


def test_who_forgets_insists_though_valkey_was_away_just_now(alice: Caller, clock: Clock) -> None:
    key = keep(alice.application, body="1")
    alice.get("/cache/product-1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spared_cache, "_quiet_until", float("inf"))
        edit(key, "2")
    assert copied(alice.application) == [None]


def test_many_thousand_are_forgotten(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "AT_ONCE", 2)
    names = [f"key-{number}" for number in range(5)]
    for name in names:
        keep(shop, name)
    places = [copies.place(shop.pk, name) for name in names]
    copies.fill(copies.claim(places) or {}, dict(zip(places, rows.stored(shop.pk, names).values(), strict=True)))
    assert all(copies.read(copied(shop, name)[0]) for name in names)
    copies.forget(shop.pk, names)
    assert [copied(shop, name) for name in names] == [[None]] * 5
    copies.forget(shop.pk, [])


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_no_copy_lives_longer_than_the_minute_that_is_promised(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: low + share * (high - low))
    sent: list[bytes] = []
    monkeypatch.setattr(copies, "exchange", lambda commands, *_, **__: sent.append(commands))
    monkeypatch.setattr(copies, "_is_room", lambda: True)
    value = Stored(1, "", 0, 0, None, None, None, None, "", None, b"1")
    copies.fill({b"place": b"?mine"}, {b"place": value})
    life_ms = int(sent[0].split(b"\r\n")[-2])
    assert 0 < life_ms <= copies.LIVES_S * 1000 == 60_000
