"""The six modes, by the vectors: what readers see after each of four runs, and after those that fail."""

import json
from pathlib import Path
from typing import Any

import pytest

from slurps.models import Mode, Row, Version
from slurps.modes import MODES
from slurps.storing.loading import Loader
from slurps.storing.staging import begin
from slurps.storing.swapping import give_up
from tests.factories import NOW, make_application, make_collection
from tests.slurps.storing.loads import load, running, seen, staged, versions

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "collections.json").read_text())
OUTPUTS = VECTORS["outputs"]

pytestmark = pytest.mark.django_db


def collection_of(mode: str) -> Any:
    key = [VECTORS["upsert_key"]] if MODES[mode].write == "upsert" else []
    keep = VECTORS["keep_versions"] if MODES[mode].is_versioned else 1
    return make_collection(make_application(), mode=mode, key=key, keep=keep)


def state(collection: Any) -> Any:
    """As the vectors have it: the rows, or the rows of each version."""
    return versions(collection) if MODES[collection.mode].is_versioned else seen(collection)


@pytest.mark.parametrize("mode", Mode.values)
def test_each_run_leaves_what_the_vectors_say(mode: str) -> None:
    collection = collection_of(mode)
    for output, expected in zip(OUTPUTS, VECTORS[mode], strict=True):
        load(collection, output)
        assert state(collection) == expected


@pytest.mark.parametrize("mode", Mode.values)
def test_a_run_that_fails_after_its_first_row_changes_nothing_and_uses_no_number(mode: str) -> None:
    collection = collection_of(mode)
    load(collection, OUTPUTS[0])
    before = state(collection)
    version, _ = staged(collection, OUTPUTS[1][:1])
    assert state(collection) == before
    give_up(version)
    assert state(collection) == before
    load(collection, OUTPUTS[1])
    assert state(collection) == VECTORS[mode][1]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("normal", []),
        ("upserted", OUTPUTS[0]),
        ("accumulative", OUTPUTS[0]),
        ("versioned", {"V1": OUTPUTS[0], "V2": []}),
        ("upserted_versioned", {"V1": OUTPUTS[0], "V2": OUTPUTS[0]}),
        ("accumulative_versioned", {"V1": OUTPUTS[0], "V2": OUTPUTS[0]}),
    ],
)
def test_an_empty_result(mode: str, expected: Any) -> None:
    collection = collection_of(mode)
    load(collection, OUTPUTS[0])
    load(collection, [])
    assert state(collection) == expected


@pytest.mark.parametrize("mode", Mode.values)
def test_no_row_is_left_that_no_version_has(mode: str) -> None:
    collection = collection_of(mode)
    for output in OUTPUTS:
        load(collection, output)
    held = {"normal": 1, "upserted": 4, "accumulative": 6, "versioned": 4, "upserted_versioned": 5}
    expected = held.get(mode, 6)
    assert Row.objects.filter(collection_id=collection.pk).count() == expected
    assert Version.objects.filter(collection=collection).count() == collection.keep


@pytest.mark.parametrize("mode", Mode.values)
def test_what_an_attempt_that_was_lost_has_loaded_is_taken_back_by_the_next_one(mode: str) -> None:
    collection = collection_of(mode)
    load(collection, OUTPUTS[0])
    run = running(collection)
    staged(collection, [*OUTPUTS[3], *OUTPUTS[3]], run=run)
    version = begin(collection=collection, run_id=run.pk, worker=run.worker, now=NOW)
    Loader(version).flush()
    give_up(version)
    load(collection, OUTPUTS[1])
    assert state(collection) == VECTORS[mode][1]
