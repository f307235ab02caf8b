"""Letting go of what no version has any more: in batches, and for as long as somebody waits for it."""

import pytest
from django.db import connection

from slurps.models import Collection, Row, Stage, Version
from slurps.storing import pruning
from slurps.storing.pruning import prune, retire
from slurps.storing.rolling_back import roll_back
from tests.factories import NOW, make_application, make_collection
from tests.slurps.storing.loads import load, seen

pytestmark = pytest.mark.django_db


@pytest.fixture
def over() -> Collection:
    """Two versions of five rows, of which one is kept no more."""
    collection = make_collection(make_application(), mode="versioned", keep=2)
    for start in (0, 10):
        load(collection, [{"id": number} for number in range(start, start + 5)])
    collection.keep = 1
    collection.save()
    retire(collection)
    return collection


def test_what_is_left_when_time_is_up_the_next_one_deletes(over: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    assert [prune(over, seconds=0) for _ in range(4)] == [2, 2, 1, 0]
    assert not Version.objects.filter(stage=Stage.RETIRED).exists()
    assert [row["id"] for row in seen(over)] == [10, 11, 12, 13, 14]


def test_a_version_is_gone_when_all_its_rows_are(over: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    prune(over, seconds=0)
    assert Version.objects.filter(stage=Stage.RETIRED).count() == 1
    prune(over)
    assert Version.objects.filter(collection=over).count() == 1
    assert Row.objects.filter(collection_id=over.pk).count() == 5


def test_a_merge_and_taking_it_back_may_take_longer_than_other_statements() -> None:
    collection = make_collection(make_application(), mode="upserted_versioned", key=["id"], keep=3)
    first = load(collection, [{"id": 1}])
    assert limit() == "30min"
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '60s'")
    load(collection, [{"id": 2}])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '60s'")
    roll_back(collection=collection, to=first, now=NOW)
    assert limit() == "30min"


def limit() -> str:
    """For the rest of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        (found,) = cursor.fetchone()
        return str(found)
