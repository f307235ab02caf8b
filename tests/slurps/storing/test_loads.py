"""Loading, beside others and beside rubbish: what is refused, what is taken back, and what readers see meanwhile."""

from typing import Any
from uuid import uuid4

import pytest

from badgerjobs.lib.storable import ROW_BYTES
from badgerjobs.runs.models import State
from slurps.models import Collection, Row, Stage, Version
from slurps.storing.encoding import key_of
from slurps.storing.faults import BusyError, HeldError, SupersededError, UnstorableError
from slurps.storing.pruning import prune
from slurps.storing.staging import begin, left_tables
from slurps.storing.swapping import approve, drop, give_up, hold, loaded_by, made_by, show
from tests.factories import NOW, make_application, make_collection
from tests.slurps.storing.loads import load, running, seen, staged

pytestmark = pytest.mark.django_db

A, B, C = {"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob"}, {"id": 3, "name": "Cy"}
FLAGS = [{"guard": "empty", "message": "It has no rows."}]


@pytest.fixture
def upserted() -> Any:
    return make_collection(make_application(), mode="upserted", key=["id"])


@pytest.fixture
def accumulative() -> Any:
    return make_collection(make_application(), mode="accumulative")


@pytest.fixture
def normal() -> Any:
    return make_collection(make_application(), mode="normal")


def test_an_updated_row_keeps_its_place_and_a_new_one_comes_behind(upserted: Any) -> None:
    load(upserted, [A, B, C])
    load(upserted, [{"id": 4}, {**A, "name": "Anna"}])
    assert seen(upserted) == [{**A, "name": "Anna"}, B, C, {"id": 4}]


def test_where_nothing_older_is_kept_a_row_is_changed_and_nothing_is_left_over(upserted: Any) -> None:
    load(upserted, [A, B])
    version = load(upserted, [{**A, "name": "Anna"}, C])
    assert (version.added, version.changed) == (1, 1)
    assert seen(upserted) == [{**A, "name": "Anna"}, B, C]
    assert Row.objects.filter(collection_id=upserted.pk).count() == 3


def test_what_is_pinned_stays_as_it_was_where_nothing_else_older_is_kept(upserted: Any) -> None:
    pinned = load(upserted, [A, B])
    Collection.objects.filter(pk=upserted.pk).update(pinned=pinned)
    upserted.refresh_from_db()
    load(upserted, [{**A, "name": "Anna"}])
    assert seen(upserted, pinned) == [A, B]
    assert seen(upserted) == [{**A, "name": "Anna"}, B]


def test_of_rows_with_the_same_key_the_last_wins_in_the_place_of_the_first(upserted: Any) -> None:
    version = load(upserted, [A, B, {**A, "name": "Anna"}])
    assert seen(upserted) == [{**A, "name": "Anna"}, B]
    assert (version.written, version.added, version.rows) == (3, 2, 2)


def test_a_whole_row_is_replaced_and_one_that_is_the_same_is_not_written(upserted: Any) -> None:
    load(upserted, [A, B])
    version = load(upserted, [{"id": 1}, B])
    assert seen(upserted) == [{"id": 1}, B]
    assert (version.added, version.changed, version.unchanged) == (0, 1, 1)


def test_what_has_a_name_without_end_is_stored_and_is_no_column(normal: Any) -> None:
    rows = [{"id": n, f"{n}{'k' * 1_000}": n} for n in range(3)]
    load(normal, rows)
    assert [column["name"] for column in Version.objects.get().columns] == ["id"]
    assert seen(normal) == rows


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [(1, 1.0, True), (1, "1", False), (1, True, False), ("a", "A", False), ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True)],
)
def test_keys_that_differ_in_type_are_two(one: Any, other: Any, same: bool) -> None:
    assert (key_of([one]) == key_of([other])) is same


@pytest.mark.parametrize(
    "key",
    ["x" * 500, "a\\b", 'a"b', "a\tb\nc", "\\N", "\x00", "\ud800", "ü", "", -0.0, 1e300, [1, {"a": None}]],
    ids=lambda key: ascii(key)[:20],
)
def test_a_row_is_known_again_whatever_its_key_is_made_of(upserted: Any, key: Any) -> None:
    load(upserted, [{"id": key, "n": 1}, A])
    version = load(upserted, [{"id": key, "n": 2}])
    assert (version.added, version.changed, version.rows) == (0, 1, 2)


def test_long_keys_that_end_differently_are_two(upserted: Any) -> None:
    assert load(upserted, [{"id": "x" * 500 + end} for end in "ab"]).rows == 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"name": "nobody"}, "has no “id”"),
        ({"id": None}, "has no “id”"),
        ([1], "is a list"),
        (None, "is null"),
        ({"id": 1, "text": "x" * ROW_BYTES}, "at most 1,000,000 can be stored"),
        ({"id": 1, "number": float("inf")}, "cannot be written as JSON"),
    ],
)
def test_a_row_that_cannot_be_stored_is_named(upserted: Any, row: Any, said: str) -> None:
    load(upserted, [A])
    with pytest.raises(UnstorableError, match="Row 2") as raised:
        staged(upserted, [B, row])
    assert said in str(raised.value)
    assert seen(upserted) == [A]


def test_names_and_texts_that_are_strange_come_back_as_they_were(normal: Any) -> None:
    rows = [
        {"__proto__": {"x": 1}, "constructor": 2, "": 3, "tab\tand\nline": "back\\slash \\n \\N", "“ü”": "😀"},
        {"number": 12345678901234567890123, "small": 1e-7, "deep": [[[{}]]], "no": None},
    ]
    load(normal, rows)
    assert seen(normal) == rows


def test_what_postgresql_cannot_keep_is_replaced(normal: Any) -> None:
    load(normal, [{"a\x00": "b\x00\ud800"}])
    assert seen(normal) == [{"a\ufffd": "b\ufffd\ufffd"}]


def test_readers_see_nothing_of_what_is_being_loaded(accumulative: Any) -> None:
    load(accumulative, [A])
    staged(accumulative, [B])
    assert seen(accumulative) == [A]


def test_two_runs_do_not_fill_a_collection_at_the_same_time(accumulative: Any) -> None:
    staged(accumulative, [A])
    with pytest.raises(BusyError, match="is loading rows"):
        staged(accumulative, [B])


def test_an_attempt_that_was_overtaken_stores_nothing_more(accumulative: Any) -> None:
    run = running(accumulative)
    version, loader = staged(accumulative, [A], run=run)
    run.worker = uuid4()
    run.save()
    again, second = staged(accumulative, [B], run=run)
    loader.add([C])
    with pytest.raises(SupersededError):
        loader.flush()
    with pytest.raises(SupersededError):
        show(version, loaded_by(loader.encoder, read=1), worker=version.worker)
    show(again, loaded_by(second.encoder, read=1), worker=run.worker)
    assert seen(accumulative) == [B]


def test_a_run_that_was_aborted_shows_nothing(normal: Any) -> None:
    run = running(normal)
    version, loader = staged(normal, [A], run=run)
    run.state = State.ABORTED
    run.save()
    with pytest.raises(SupersededError):
        show(version, loaded_by(loader.encoder, read=1), worker=version.worker)
    with pytest.raises(SupersededError):
        begin(collection=normal, run_id=run.pk, worker=run.worker, now=NOW)
    assert seen(normal) == []


def test_what_a_run_has_shown_is_found_again_by_its_next_attempt(normal: Any) -> None:
    version = load(normal, [A])
    assert version.run_id
    assert made_by(version.run_id) == version
    assert made_by(uuid4()) is None


def test_giving_up_leaves_no_row_and_no_table(upserted: Any, accumulative: Any) -> None:
    for collection in (upserted, accumulative):
        version, _ = staged(collection, [A])
        give_up(version)
        prune(collection)
    assert not Row.objects.exists()
    assert not Version.objects.exists()
    assert left_tables() == []


class TestHeld:
    def held(self, collection: Any, rows: list[Any]) -> Version:
        version, loader = staged(collection, rows)
        return hold(version, loaded_by(loader.encoder, read=len(rows)), FLAGS, worker=version.worker)

    @pytest.mark.parametrize("mode", ["normal", "upserted", "accumulative", "versioned", "upserted_versioned"])
    def test_nobody_sees_it_before_it_is_approved(self, mode: str) -> None:
        key = ["id"] if mode.startswith("upserted") else []
        collection = make_collection(make_application(), mode=mode, key=key, keep=3)
        load(collection, [A])
        version = self.held(collection, [{**A, "name": "Anna"}])
        assert seen(collection) == [A]
        approve(version)
        expected = [A, {**A, "name": "Anna"}] if mode == "accumulative" else [{**A, "name": "Anna"}]
        assert seen(collection) == expected
        assert collection.numbered == 2

    def test_what_is_dropped_was_never_there(self, normal: Any) -> None:
        load(normal, [A])
        drop(self.held(normal, []))
        assert seen(normal) == [A]
        load(normal, [B])
        assert seen(normal) == [B]

    def test_what_adds_rows_waits_until_it_is_decided(self, accumulative: Any) -> None:
        version = self.held(accumulative, [A])
        with pytest.raises(HeldError, match="Approve or drop it"):
            staged(accumulative, [B])
        approve(version)
        load(accumulative, [B])
        assert seen(accumulative) == [A, B]

    def test_what_replaces_all_is_overtaken_by_a_newer_result(self, normal: Any) -> None:
        load(normal, [A])
        version = self.held(normal, [B, C])
        load(normal, [C])
        assert seen(normal) == [C]
        with pytest.raises(SupersededError):
            approve(version)
        assert Row.objects.count() == 1

    def test_a_held_result_stays_whole_while_another_one_is_held_in_its_place(self, normal: Any) -> None:
        load(normal, [A])
        self.held(normal, [B])
        version = self.held(normal, [C, B])
        approve(version)
        assert seen(normal) == [C, B]
        assert Version.objects.filter(stage=Stage.HELD).count() == 0
