"""Taking back what nobody is to see: all of it, nothing else, and without looking at what is kept."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs.models import Run, State
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.audit import OPERATOR
from slurps.collecting.version_services import roll_back_to
from slurps.models import Collection, Row, Version
from slurps.storing import pruning, rolling_back
from slurps.storing.faults import SupersededError
from slurps.storing.pruning import prune
from slurps.storing.staging import discard
from slurps.storing.swapping import drop, hold, loaded_by, show
from tests.factories import NOW, make_application, make_collection
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


def rows_of(collection: Collection, version: Version) -> int:
    return Row.objects.filter(collection_id=collection.pk, first=version.generation).count()


def test_what_was_half_loaded_goes_and_what_is_shown_stays(kept: Collection) -> None:
    version, loader = staged(kept, [{"id": 1000}, {"id": 1001}])
    discard(version)
    assert seen(kept) == KEPT
    loader.add([{"id": 1002}])
    with pytest.raises(SupersededError):
        loader.flush()
    prune(kept)
    assert seen(kept) == KEPT
    assert Row.objects.filter(collection_id=kept.pk).count() == len(KEPT)
    assert Version.objects.filter(collection=kept).count() == 1


def test_what_was_held_goes_and_what_came_meanwhile_stays(kept: Collection) -> None:
    version, loader = staged(kept, [{"id": 1000}])
    hold(version, loaded_by(loader.encoder, read=1), EMPTY, worker=version.worker)
    kept.refresh_from_db()
    meanwhile = None
    if kept.mode == "normal":
        meanwhile, loader = staged(kept, KEPT)
    drop(version)
    prune(kept)
    assert rows_of(kept, version) == 0
    assert seen(kept) == KEPT
    if meanwhile:
        show(meanwhile, loaded_by(loader.encoder, read=50), worker=meanwhile.worker)
        assert seen(kept) == KEPT


def test_one_row_or_a_million_take_as_many_statements(kept: Collection) -> None:
    version, _ = staged(kept, [{"id": 1000}])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        discard(version)
    assert len(queries) < 8
    assert not [one["sql"] for one in queries if "DELETE FROM collections_row" in one["sql"]]


@pytest.mark.parametrize("mode", ["normal", "accumulative"])
def test_rows_that_are_taken_back_go_in_batches_and_no_other_is_looked_at(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    collection = make_collection(make_application(), mode=mode)
    load(collection, KEPT)
    version, _ = staged(collection, [{"id": number} for number in range(1000, 1005)])
    discard(version)
    assert prune(collection, seconds=-1) == 2
    assert (rows_of(collection, version), Version.objects.filter(pk=version.pk).count()) == (3, 1)
    with CaptureQueriesContext(connection) as queries:
        prune(collection)
    assert (rows_of(collection, version), Version.objects.filter(pk=version.pk).count()) == (0, 0)
    bounds = [one["sql"] for one in queries if "DELETE FROM collections_row" in one["sql"] and "first =" in one["sql"]]
    assert len(bounds) == 2
    assert all("position >= 50 AND position < 55" in one for one in bounds)
    assert seen(collection) == KEPT


def test_the_next_run_shows_nothing_that_was_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are added are seen by their places: those that a dead attempt left there must be gone before."""
    monkeypatch.setattr(pruning, "BATCH", 2)
    collection = make_collection(make_application(), mode="accumulative_versioned", keep=5)
    load(collection, KEPT)
    left, _ = staged(collection, [{"id": number} for number in range(1000, 1005)])
    Run.objects.filter(worker=left.worker).update(state=State.FAILED)
    version, loader = staged(collection, [{"id": 50}])
    assert rows_of(collection, left) == 0
    show(version, loaded_by(loader.encoder, read=1), worker=version.worker)
    assert seen(collection) == [*KEPT, {"id": 50}]


def test_who_rolls_back_does_not_wait_for_ever_for_what_a_run_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    collection = make_collection(make_application(), mode="accumulative_versioned", keep=5)
    first = load(collection, KEPT)
    load(collection, [{"id": 50}])
    left, _ = staged(collection, [{"id": number} for number in range(1000, 1005)])
    Run.objects.filter(worker=left.worker).update(state=State.FAILED)
    monkeypatch.setattr(rolling_back, "CLEARING_S", -1)
    with pytest.raises(Conflict, match="are being deleted: try again in a minute"):
        roll_back_to(version=first, by=OPERATOR, now=NOW)
    assert rows_of(collection, left) == 3
    monkeypatch.undo()
    roll_back_to(version=first, by=OPERATOR, now=NOW)
    assert (rows_of(collection, left), seen(collection)) == (0, KEPT)


@pytest.mark.parametrize("mode", ["normal", "versioned"])
def test_where_versions_have_rows_of_their_own_nothing_that_a_run_left_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    collection = make_collection(make_application(), mode=mode, keep=5)
    first = load(collection, KEPT)
    left, _ = staged(collection, [{"id": number} for number in range(1000, 1005)])
    Run.objects.filter(worker=left.worker).update(state=State.FAILED)
    discard(left)
    monkeypatch.setattr(rolling_back, "CLEARING_S", -1)
    roll_back_to(version=first, by=OPERATOR, now=NOW)
    assert seen(collection) == KEPT
