"""The list of what a token may read: whose it is, what it tells, and that it costs no more for more."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.workspaces.models import Scope
from slurps.models import Collection
from tests.callers import Caller, caller_for, make_caller
from tests.factories import make_collection
from tests.slurps.storing.loads import load

pytestmark = pytest.mark.django_db

LIST = "/collections/"


def listed(caller: Caller, query: str = "") -> list[dict[str, Any]]:
    answer = caller.get(f"{LIST}{query}")
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.body["results"]
    return found


def prices(caller: Caller, name: str = "prices", **fields: Any) -> Collection:
    return make_collection(caller.application, name=name, **{"mode": "versioned", "keep": 5, **fields})


def test_each_tells_what_readers_see_of_it_and_where(alice: Caller) -> None:
    collection = prices(alice)
    [empty] = listed(alice)
    assert (empty["version"], empty["rows"], empty["filled_at"]) == (None, 0, None)
    load(collection, [{"id": 1}, {"id": 2}])
    load(collection, [{"id": 1}])
    [row] = listed(alice)
    assert (row["name"], row["version"], row["rows"]) == ("prices", 2, 1)
    assert row["filled_at"].startswith("20")
    collection.pinned = collection.versions.get(number=1)
    collection.save()
    [row] = listed(alice)
    assert (row["version"], row["rows"]) == (1, 2)
    assert row["url"] == "http://testserver/api/v1/collections/prices/"


def test_its_etag_is_that_of_its_address(alice: Caller) -> None:
    collection = prices(alice)
    seen = []
    for rows in ([], [{"id": 1}], [{"id": 2}]):
        if rows:
            load(collection, rows)
        [row] = listed(alice)
        assert alice.get(row["url"]).headers["ETag"] == row["etag"]
        assert alice.get(row["url"], **{"If-None-Match": row["etag"]}).status == 304
        seen.append(row["etag"])
    assert len(set(seen)) == 3


def test_those_of_other_tokens_and_of_other_applications_are_not_told(alice: Caller) -> None:
    prices(alice, "for-all")
    prices(alice, "for-me", readers=["other", "test"])
    prices(alice, "for-others", readers=["other"])
    prices(alice, "for-nobody", readers=[])
    stranger = make_caller("strange")
    prices(stranger, "strange")
    assert [row["name"] for row in listed(alice)] == ["for-me", "for-all"]
    for row in listed(alice):
        assert alice.get(row["url"]).status == 200
    assert [row["name"] for row in listed(stranger)] == ["strange"]


def test_it_needs_the_scope_to_read_collections(alice: Caller) -> None:
    prices(alice)
    assert caller_for(alice.application, scopes=[Scope.READ]).get(LIST).status == 403
    assert len(listed(caller_for(alice.application, scopes=[Scope.COLLECTIONS_READ]))) == 1


def test_it_is_paged_and_costs_no_more_for_more(alice: Caller) -> None:
    for number in range(2):
        load(prices(alice, f"of-{number}"), [{"id": 1}])
    listed(alice)  # the first time, it is noted that the token was used
    with CaptureQueriesContext(connection) as few:
        listed(alice)
    for number in range(2, 7):
        load(prices(alice, f"of-{number}"), [{"id": 1}])
    with CaptureQueriesContext(connection) as many:
        listed(alice)
    assert len(few) == len(many)
    assert [row["name"] for row in alice.walk(f"{LIST}?limit=3")] == [f"of-{number}" for number in reversed(range(7))]
    assert alice.get(f"{LIST}?limit=0").status == 400
