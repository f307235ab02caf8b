"""A page is found by an index, in its order: what the database says of the statements that readers cause."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict

from slurps.collecting.reading.asking import asked_of, filters_of
from slurps.collecting.reading.statements import Place, Reader
from slurps.models import Collection
from slurps.storing.columns import types_of
from tests.factories import make_application, make_collection
from tests.slurps.storing.loads import load

pytestmark = pytest.mark.django_db


@pytest.fixture
def ages() -> Collection:
    collection = make_collection(make_application(), mode="upserted", key=["id"], indexed=["age"])
    load(collection, [{"id": number, "age": number % 5, "name": str(number)} for number in range(200)])
    with connection.cursor() as cursor:  # else the plan goes by what the database has last seen of other tests' rows
        cursor.execute("ANALYZE collections_row")
    return collection


@pytest.mark.parametrize("after", [None, Place(0, "3", 20)], ids=["first page", "further page"])
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "collections_row_pkey"),
        ("$sort=-$position", "collections_row_pkey"),
        ("age=3", "row_slot1"),
        ("age=3&$sort=-$position", "row_slot1"),
        ("age=3&name__contains=1", "row_slot1"),
        ("$sort=age", "row_slot1"),
        ("$sort=-age", "row_slot1"),
    ],
)
def test_a_page_is_where_an_index_leads_and_nothing_is_sorted(
    ages: Collection, query: str, index: str, after: Place | None
) -> None:
    plan = plan_of(ages, query, after)
    assert f"using {index} " in plan
    assert "Sort" not in plan
    if after:
        before = plan_of(ages, query, after, is_back=True)
        assert f"using {index} " in before
        assert "Sort" not in before


def plan_of(collection: Collection, query: str, after: Place | None, *, is_back: bool = False) -> str:
    """How the database finds a page, where it may not look at all rows: those of a test are few enough to."""
    version: Any = collection.current
    asked = asked_of(QueryDict(f"$limit=10&{query}"), "")
    asked = replace(asked, filters=filters_of(QueryDict(query), types_of(version.known)))
    reader = Reader(asked, collection, version)
    statement = reader.rows(0, limit=11, after=after, is_back=is_back)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {statement}", reader.values.given)
        return "\n".join(line for (line,) in cursor.fetchall())
