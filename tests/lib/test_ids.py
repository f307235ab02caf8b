import os
import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from badgerjobs.lib import ids
from badgerjobs.lib.ids import uuid7, uuid7_floor


def milliseconds(made: UUID) -> int:
    return made.int >> 80


def test_an_id_is_a_uuid_of_version_7_with_the_present_time() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert before <= milliseconds(made) <= time.time_ns() // 1_000_000


def test_each_id_is_greater_than_the_one_before() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_order_is_kept_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = uuid7()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000)
    assert uuid7() > before


def test_threads_never_make_the_same_id() -> None:
    made: list[list[UUID]] = [[] for _ in range(8)]
    threads = [
        threading.Thread(target=lambda out: out.extend(uuid7() for _ in range(2_000)), args=(out,)) for out in made
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one for out in made for one in out}) == 16_000
    assert all(out == sorted(out) for out in made)


def test_a_forked_child_does_not_count_on_from_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_last_own", (2**47, 0))
    assert milliseconds(uuid7()) == 2**47
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writer, uuid7().bytes)
        os._exit(0)
    os.waitpid(child, 0)
    assert milliseconds(UUID(bytes=os.read(reader, 16))) < 2**47
    os.close(reader)
    os.close(writer)


def test_the_floor_of_a_moment_parts_older_ids_from_newer_ones() -> None:
    made = uuid7()
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds(made))
    assert uuid7_floor(moment) <= made < uuid7_floor(moment + timedelta(milliseconds=1))
    assert uuid7_floor(moment) == uuid7_floor(moment + timedelta(microseconds=999))


def test_the_floor_is_exact_where_floating_point_is_not() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    floors = [uuid7_floor(start + timedelta(milliseconds=count)) for count in range(2_000)]
    assert [milliseconds(floor) - milliseconds(floors[0]) for floor in floors] == list(range(2_000))
    assert (floors[0].version, floors[0].variant) == (7, "specified in RFC 4122")


def test_ids_as_of_a_shared_clock_are_in_order_whatever_clock_the_process_has(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 11, 22, 8, tzinfo=UTC)
    monkeypatch.setattr(time, "time_ns", lambda: 2**60)
    monkeypatch.setattr(ids, "_last_shared", (0, 0))
    made = [*ids.uuid7s(moment, 3), *ids.uuid7s(moment, 2), *ids.uuid7s(moment + timedelta(milliseconds=1), 2)]
    assert made == sorted(made)
    assert len(set(made)) == 7
    assert uuid7_floor(moment) < made[0] < made[-1] < uuid7_floor(moment + timedelta(milliseconds=2))


def test_ids_of_both_clocks_are_in_the_order_of_their_making_within_a_millisecond(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moment = datetime.now(UTC) + timedelta(hours=1)
    monkeypatch.setattr(ids, "_last_own", (0, 0))
    monkeypatch.setattr(ids, "_last_shared", (0, 0))
    monkeypatch.setattr(time, "time_ns", lambda: int(moment.timestamp() * 1000) * 1_000_000)
    made = [one for _ in range(20) for one in (uuid7(), *ids.uuid7s(moment, 2))]
    assert made == sorted(made)
    assert {milliseconds(one) for one in made} == {milliseconds(made[0])}
