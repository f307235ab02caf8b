"""Taking back what nobody is to see: all of it, nothing else, and without looking at what is kept."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from slurps.models import Collection, Row, Version
from slurps.storing.staging import discard
from slurps.storing.swapping import drop, hold, loaded_by
from tests.factories import make_application, make_collection
from tests.slurps.storing.loads import load, seen, staged

pytestmark = pytest.mark.django_db

MODES: Mapping[str, Mapping[str, Any]] = {"normal": {}, "accumulative": {}, "upserted": {"key": ["id"]}}
KEPT = [{"id": number} for number in range(50)]
EMPTY = [{"guard": "empty", "message": "It has no rows."}]


@pytest.fixture(params=MODES)
def kept(request: pytest.FixtureRequest) -> Collection:
    collection = make_collection(make_application(), mode=request.param, **MODES[request.param])
    load(collection, KEPT)
    return collection


def test_what_was_half_loaded_goes_and_what_is_shown_stays(kept: Collection) -> None:
    version, _ = staged(kept, [{"id": 1000}, {"id": 1001}])
    discard(version)
    assert seen(kept) == KEPT
    assert Row.objects.filter(collection_id=kept.pk).count() == len(KEPT)
    assert Version.objects.filter(collection=kept).count() == 1


def test_what_was_held_goes_and_what_came_meanwhile_stays(kept: Collection) -> None:
    version, loader = staged(kept, [{"id": 1000}])
    hold(version, loaded_by(loader.encoder, read=1), EMPTY, worker=version.worker)
    kept.refresh_from_db()
    if kept.mode == "normal":
        staged(kept, KEPT)
    drop(version)
    assert not Row.objects.filter(collection_id=kept.pk, first=version.generation).exists()
    assert seen(kept) == KEPT


def test_rows_that_are_kept_are_not_looked_at(kept: Collection) -> None:
    version, _ = staged(kept, [{"id": 1000}])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        discard(version)
    deletes = [one["sql"] for one in queries if one["sql"].startswith('DELETE FROM "collections_row"')]
    assert all('"position" >= 50' in one for one in deletes)
    assert bool(deletes) is (kept.mode != "upserted")
