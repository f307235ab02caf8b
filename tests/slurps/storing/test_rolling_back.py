"""Rolling back: a new version with the rows of an old one, whatever comes after it."""

from typing import Any

import pytest

from slurps.models import Version
from slurps.storing.pruning import prune
from slurps.storing.rolling_back import roll_back
from tests.factories import NOW, make_application, make_collection
from tests.slurps.storing.loads import load, seen, versions

pytestmark = pytest.mark.django_db

A, B, C = {"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob"}, {"id": 3, "name": "Cy"}
ANNA = {"id": 1, "name": "Anna"}
MODES = ["versioned", "upserted_versioned", "accumulative_versioned"]


def collection_of(mode: str, keep: int = 9) -> Any:
    return make_collection(make_application(), mode=mode, key=["id"] if "upsert" in mode else [], keep=keep)


def back(collection: Any, number: int) -> Version:
    made = roll_back(collection=collection, to=collection.versions.get(number=number), now=NOW)
    prune(collection)
    collection.refresh_from_db()
    return made


@pytest.mark.parametrize("mode", MODES)
def test_readers_see_the_old_rows_and_every_version_stays_as_it_was(mode: str) -> None:
    collection = collection_of(mode)
    for rows in ([A, B], [ANNA, C], [B]):
        load(collection, rows)
    before = versions(collection)
    made = back(collection, 1)
    assert (made.number, made.rolled_back_to, made.rows) == (4, 1, 2)
    assert versions(collection) == {**before, "V4": before["V1"]}
    assert seen(collection) == [A, B]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("versioned", [C]), ("upserted_versioned", [A, B, C]), ("accumulative_versioned", [A, B, C])],
)
def test_the_next_run_goes_on_from_there(mode: str, expected: Any) -> None:
    collection = collection_of(mode)
    load(collection, [A, B])
    load(collection, [ANNA, {"id": 9}])
    back(collection, 1)
    load(collection, [C])
    assert seen(collection) == expected


@pytest.mark.parametrize("mode", MODES)
def test_it_outlives_the_version_that_it_shows(mode: str) -> None:
    collection = collection_of(mode, keep=2)
    load(collection, [A, B])
    load(collection, [C])
    back(collection, 1)
    assert list(versions(collection)) == ["V2", "V3"]
    assert seen(collection) == [A, B]
