"""A collection as its readers ask for it."""

from typing import Any
from urllib.parse import urlencode

from slurps.models import Collection
from tests.callers import Answer, Caller
from tests.factories import make_collection
from tests.slurps.storing.loads import load

OURS = {"_limit", "_page", "_with_meta", "_cursor", "_sort", "_fields", "_search", "_version", "_format", "_colour"}
PEOPLE: list[dict[str, Any]] = [
    {"id": 1, "name": "Ann", "age": 30, "address": {"city": "Bern", "zipcode": 3000}, "tags": ["a", "b"]},
    {"id": 2, "name": "Bob", "age": "30", "address": {"city": "Basel"}, "tags": []},
    {"id": 3, "name": "Cy", "age": 41, "address": None, "active": True},
    {"id": 4, "name": "ann lee", "age": None, "address": {"city": "bern"}, "active": False},
    {"id": 5, "age": 5.5, "address": {"city": "Bern"}, "note": "30 % of Ann"},
]


def people(caller: Caller, **fields: Any) -> Collection:
    """A collection with them."""
    collection = make_collection(caller.application, name="people", **fields)
    load(collection, PEOPLE)
    return collection


def address(**query: Any) -> str:
    """Names with a dollar sign are given without it, behind an underscore: `_limit`."""
    given = {f"${key[1:]}" if key in OURS else key: value for key, value in query.items()}
    return f"/collections/people/?{urlencode(given, doseq=True)}"


def rows(caller: Caller, /, **query: Any) -> Answer:
    """What is read."""
    return caller.get(address(**query))


def text(caller: Caller, /, **query: Any) -> str:
    """The same as it was sent."""
    whole = f"/api/v1{address(**query)}"
    response = caller.client.get(whole, headers={"Authorization": f"Bearer {caller.secret}"})
    assert response.status_code == 200
    return b"".join(response).decode()


def ids(answer: Answer) -> list[Any]:
    """Which rows those are."""
    assert answer.status == 200, answer.body
    found = answer.body["items"] if isinstance(answer.body, dict) else answer.body
    return [row["id"] for row in found]
