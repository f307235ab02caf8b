"""How many rows a collection may have: a run that would make more of them fails, and readers see what they saw."""

from collections.abc import Mapping
from typing import Any

import pytest

from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.audit import OPERATOR
from slurps.collecting.version_services import approve_version
from slurps.models import Collection, Version
from slurps.slurping.plan import SlurpError
from slurps.storing.faults import UnstorableError
from slurps.storing.swapping import hold, loaded_by
from tests.factories import NOW, make_application, make_collection
from tests.slurps.slurping.attempts import Attempts, rows
from tests.slurps.storing.loads import load, seen, staged

pytestmark = pytest.mark.django_db

WRITES: Mapping[str, Mapping[str, Any]] = {"normal": {}, "accumulative": {}, "upserted": {"key": ["id"]}}
# What it may have five of, where two are there: so many of these still fit, and so many do not.
FITS = {"normal": rows(1, 2, 3, 4, 5), "accumulative": rows(3, 4, 5), "upserted": rows(1, 2, 3, 4, 5)}
TOO_MANY = {"normal": rows(1, 2, 3, 4, 5, 6), "accumulative": rows(3, 4, 5, 6), "upserted": rows(3, 4, 5, 6)}


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Attempts:
    return Attempts(monkeypatch)


@pytest.fixture(params=WRITES)
def prices(request: pytest.FixtureRequest, settings: Any) -> Collection:
    settings.COLLECTION_ROWS = 5
    collection = make_collection(make_application(), mode=request.param, **WRITES[request.param])
    load(collection, rows(1, 2))
    return collection


def test_as_many_as_it_may_have_are_stored(prices: Collection) -> None:
    load(prices, FITS[prices.mode])
    assert seen(prices) == rows(1, 2, 3, 4, 5)


def test_with_more_the_run_fails_and_nothing_is_changed(prices: Collection, attempts: Attempts, settings: Any) -> None:
    with pytest.raises(SlurpError) as caught:
        attempts.slurp(prices.async_job, TOO_MANY[prices.mode])
    assert (caught.value.error_class, caught.value.retry) == ("rows", False)
    assert caught.value.message == (
        "A collection may have 5 rows here (COLLECTION_ROWS), and “prices” would have more. Nothing was stored: let "
        "the run give fewer, or fill another collection."
    )
    assert (seen(prices), Version.objects.count()) == (rows(1, 2), 1)
    settings.COLLECTION_ROWS = 0
    attempts.slurp(prices.async_job, TOO_MANY[prices.mode])
    assert len(seen(prices)) == 6


def test_a_load_that_goes_on_and_on_is_ended_before_it_is_sent(prices: Collection) -> None:
    with pytest.raises(UnstorableError):
        staged(prices, rows(*range(10, 16)))


def test_a_result_that_waits_is_not_approved_where_it_would_be_too_many(prices: Collection, settings: Any) -> None:
    version, loader = staged(prices, FITS[prices.mode])
    hold(version, loaded_by(loader.encoder, read=3), [], worker=version.worker)
    settings.COLLECTION_ROWS = 4
    with pytest.raises(Conflict) as caught:
        approve_version(version=version, by=OPERATOR, now=NOW)
    assert caught.value.detail == (
        "A collection may have 4 rows here (COLLECTION_ROWS), and “prices” would have more with this result, which "
        "goes on waiting: drop it, or approve it once more rows are allowed."
    )
    assert seen(prices) == rows(1, 2)
    settings.COLLECTION_ROWS = 5
    approve_version(version=version, by=OPERATOR, now=NOW)
    assert seen(prices) == rows(1, 2, 3, 4, 5)
