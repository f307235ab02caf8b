"""What guards leave out while rows are loaded, and what is filled when other fields are to be found quickly."""

from typing import Any

import pytest

from slurps.models import Collection, Row
from slurps.storing import indexing
from slurps.storing.encoding import Encoder
from tests.factories import make_application, make_collection
from tests.slurps.storing.loads import load, seen

pytestmark = pytest.mark.django_db

STRANGE = {"id": 2, "name": 5, "new": 1, "no": "now a text", "n": 1.5}


@pytest.mark.parametrize("mode", ["normal", "accumulative", "upserted"])
def test_values_of_new_columns_and_of_other_types_are_left_out_and_counted(mode: str) -> None:
    key = ["id"] if mode == "upserted" else []
    collection = make_collection(make_application(), mode=mode, key=key, guards={"columns": "discard"})
    first = load(collection, [{"id": 1, "name": "Ann", "no": None, "n": 1}])
    assert first.dropped == 0
    version = load(Collection.objects.get(pk=collection.pk), [STRANGE, {"id": 3, "name": None}])
    expected = [{"id": 2, "no": "now a text", "n": 1.5}, {"id": 3, "name": None}]
    assert seen(collection)[-2:] == expected
    assert (version.dropped, version.written) == (2, 2)
    again = load(Collection.objects.get(pk=collection.pk), [{"id": 4, "name": "Cy", "no": 1}])
    known = {column["name"] for column in again.known}
    assert "new" not in known
    if mode != "normal":  # a column of rows that are there still is known, whatever the last run brought
        assert seen(collection)[-1] == {"id": 4, "name": "Cy"}


@pytest.mark.parametrize("guards", [{}, {"columns": "evolve"}, {"columns": "freeze"}])
def test_other_guards_leave_out_nothing(guards: dict[str, Any]) -> None:
    collection = make_collection(make_application(), guards=guards)
    load(collection, [{"id": 1}])
    assert load(Collection.objects.get(pk=collection.pk), [STRANGE]).dropped == 0
    assert seen(collection) == [STRANGE]


def test_a_key_is_never_left_out() -> None:
    encoder = Encoder(key=["id"], indexed=(), known={"id": {"number"}})
    encoder.lines([{"id": "7", "x": 1}], ())
    assert (encoder.dropped, [column["name"] for column in encoder.columns()]) == (1, ["id"])


def test_slots_are_filled_batch_by_batch_and_by_the_tick_when_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "BATCH", 2)
    collection = make_collection(make_application(), mode="accumulative")
    load(collection, [{"n": n} for n in range(5)])
    indexing.choose(collection, ["n"])
    assert indexing.fill(collection, seconds=0) is False
    load(Collection.objects.get(pk=collection.pk), [{"n": 5}])
    indexing.go_on_filling()
    rows = Row.objects.filter(collection_id=collection.pk).order_by("position")
    assert list(rows.values_list("slot1", flat=True)) == list(range(6))
    collection.refresh_from_db()
    assert collection.filling is None


@pytest.mark.parametrize(("batch", "filled"), [(1, [3, 6, 6]), (4, [3, 6]), (6, [6]), (100, [6])])
def test_a_batch_is_so_many_rows_however_many_versions_a_place_has(
    monkeypatch: pytest.MonkeyPatch, batch: int, filled: list[int]
) -> None:
    monkeypatch.setattr(indexing, "BATCH", batch)
    collection = make_collection(make_application(), mode="upserted_versioned", key=["id"], keep=5)
    for version in range(3):
        load(Collection.objects.get(pk=collection.pk), [{"id": 1, "v": version}, {"id": 2, "v": version}])
    collection = indexing.choose(collection, ["v"])
    counts = []
    is_done = False
    while not is_done:
        is_done = indexing._filled(collection.pk)
        counts.append(Row.objects.exclude(slot1=None).count())
    assert counts == filled
