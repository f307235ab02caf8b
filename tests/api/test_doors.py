"""The front door and the root: what they name is there."""

import pytest

from badgerjobs.api.urls import router
from tests.callers import PROBLEM, Caller


@pytest.mark.django_db
def test_the_front_door_names_places_that_are_there() -> None:
    shown = Caller().get("http://testserver/").body
    assert shown.pop("name") == "Badger Jobs"
    assert shown
    assert {place: Caller().get(address).status for place, address in shown.items()} == {
        "api": 401,
        "schema": 200,
        "health": 503,  # no worker was ever seen here
    }


def test_the_root_names_places_that_are_there(alice: Caller) -> None:
    places = alice.get("/").body
    of_their_own = {prefix for prefix, _, _ in router.registry if "(" not in prefix}  # and below nothing else
    assert of_their_own | {"application"} <= set(places)
    asked = {"schedules/preview", "cache"}  # of what, must be said
    assert {alice.get(address).status for place, address in places.items() if place not in asked} == {200}


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/healthz", "/metrics"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_what_is_only_read_refuses_all_else_as_a_problem(address: str, method: str) -> None:
    answer = Caller().send(method, f"http://testserver{address}", b"")
    assert (answer.status, answer.content_type, answer.headers["Allow"]) == (405, PROBLEM, "GET, HEAD")


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/healthz", "/metrics"])
def test_what_is_read_can_be_asked_for_its_head(address: str) -> None:
    assert Caller().send("HEAD", f"http://testserver{address}", b"").status in {200, 503}
