"""Readers who ask again and again while versions come and go: each sees a whole one, and never a gap."""

from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection

from slurps.collecting.reading import pages
from slurps.models import Collection
from tests.callers import Caller, make_caller
from tests.factories import make_collection
from tests.slurps.collecting.reads import rows
from tests.slurps.storing.loads import load

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 12
COUNT = 60


def result(number: int) -> list[dict[str, Any]]:
    return [{"id": n, "round": number} for n in range(COUNT)]


def is_whole(mode: str, found: list[dict[str, Any]]) -> bool:
    """One round's rows and no others; where rows are added, those of each round up to one."""
    each = [row["round"] for row in found]
    if mode == "accumulative":
        return each == [number for number in range(len(each) // COUNT) for _ in range(COUNT)] and len(each) >= COUNT
    return len(each) == COUNT and len(set(each)) == 1


class Reader(Thread):
    """Reads until it is stopped, and remembers what was wrong."""

    def __init__(self, caller: Caller, read: Callable[[Caller], str]) -> None:
        super().__init__()
        self.stopped, self.wrong, self.times = Event(), [], 0  # type: ignore[var-annotated]
        self._caller, self._read = Caller(caller.secret, caller.owner), read

    def run(self) -> None:
        try:
            while not self.stopped.is_set() or not self.times:
                if wrong := self._read(self._caller):
                    self.wrong.append(wrong)
                self.times += 1
        except Exception as error:
            self.wrong.append(repr(error))
        finally:
            connection.close()


def told(mode: str, **query: Any) -> Callable[[Caller], str]:
    def read(caller: Caller) -> str:
        answer = rows(caller, **query)
        if answer.status != 200:
            return f"{answer.status}: {answer.body}"
        found = answer.body["items"] if isinstance(answer.body, dict) else answer.body
        if isinstance(answer.body, dict) and answer.body["count"] != len(found):
            return f"{answer.body['count']} rows were counted, and {len(found)} were there"
        return "" if is_whole(mode, found) else str(found)

    return read


@pytest.mark.parametrize("mode", ["normal", "upserted", "accumulative", "versioned"])
def test_a_reader_sees_whole_versions_while_they_are_swapped_and_pruned(
    mode: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.RATE_LIMIT_PER_SECOND = 1_000_000
    monkeypatch.setattr(pages, "at_once", lambda _version: 20)  # what is longer is streamed
    alice = make_caller()
    collection: Collection = make_collection(
        alice.application, name="people", mode=mode, key=["id"] if mode == "upserted" else []
    )
    load(collection, result(0))
    readers = [Reader(alice, told(mode)), Reader(alice, told(mode, _with_meta="true", _limit=10_000))]
    for reader in readers:
        reader.start()
    try:
        for number in range(1, ROUNDS):
            load(collection, result(number))
    finally:
        for reader in readers:
            reader.stopped.set()
        for reader in readers:
            reader.join(60)
    assert [reader.wrong for reader in readers] == [[], []]
    assert all(reader.times for reader in readers)


def test_a_long_answer_goes_on_though_its_version_is_pruned_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "at_once", lambda _version: 10)
    alice = make_caller()
    collection = make_collection(alice.application, name="people")
    load(collection, result(0))
    where = "/api/v1/collections/people/?$format=jsonl"
    response: Any = alice.client.get(where, headers={"Authorization": f"Bearer {alice.secret}"})
    chunks = iter(response)
    began = next(chunks)
    loading = Thread(target=_load, args=(collection,))
    loading.start()
    loading.join(60)
    whole = b"".join([began, *chunks]).decode()
    assert [line.count('"round": 0') for line in whole.splitlines()] == [1] * COUNT
    assert rows(alice).body == result(1)


def _load(collection: Collection) -> None:
    try:
        load(Collection.objects.get(pk=collection.pk), result(1))
    finally:
        connection.close()
