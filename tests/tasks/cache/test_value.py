"""One value read by a program: what comes back, with which headers, and what is refused in which words."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import RequestFactory

from badgerjobs.workspaces.models import Scope
from tasks.cache import api
from tests.callers import PROBLEM, Caller, caller_for
from tests.factories import NOW
from tests.tasks.cache.stored import BODY, ERROR, Clock, as_http, keep, note_failure

# Read as bytes: the answer must be the very text that is stored.
READ = "http://testserver/api/v1/cache/product-1"


def test_a_value_is_served_as_it_is_stored(alice: Caller, clock: Clock) -> None:
    keep(alice.application, body=BODY)
    found = alice.client.get(READ, headers={"Authorization": f"Bearer {alice.secret}"})
    assert (found.status_code, found.content) == (200, BODY.encode())


def test_a_fresh_value_comes_with_what_is_known_of_it(alice: Caller, clock: Clock) -> None:
    key = keep(alice.application, ttl_s=600, stale_while_revalidate_s=30, stale_if_error_s=90)
    clock.goes_on(45)
    for _ in range(2):  # from the row, and from the copy
        answer = alice.get("/cache/product-1")
        told = {name: answer.headers[name] for name in ("ETag", "Last-Modified", "Age", "X-Cache", "Vary")}
        assert answer.content_type == "application/json"
        assert told == {
            "ETag": f'"{key.value.etag}"',
            "Last-Modified": as_http(NOW),
            "Age": "45",
            "X-Cache": "hit",
            "Vary": "Authorization",
        }
        # `max-age` counts from when it was fetched, as `Age` does.
        assert answer.headers["Cache-Control"] == ("private, max-age=600, stale-while-revalidate=30, stale-if-error=90")
        assert answer.headers["Content-Length"] == str(len(BODY.encode()))


def test_what_is_fresh_until_a_task_brings_another_is_asked_for_anew_each_time(alice: Caller, clock: Clock) -> None:
    keep(alice.application)
    clock.goes_on(9_000_000)
    answer = alice.get("/cache/product-1")
    assert (answer.headers["X-Cache"], answer.headers["Cache-Control"]) == ("hit", "private, no-cache")


def test_a_clock_that_is_behind_makes_no_age_below_zero(alice: Caller, clock: Clock) -> None:
    keep(alice.application)
    clock.goes_on(-5)
    assert alice.get("/cache/product-1").headers["Age"] == "0"


def test_head_says_the_same_and_sends_no_body(alice: Caller, clock: Clock) -> None:
    keep(alice.application)
    got, head = (alice.send(method, "/cache/product-1", b"") for method in ("GET", "HEAD"))
    assert (head.status, head.body, head.headers) == (200, b"", got.headers)


@pytest.mark.parametrize("path", ["/api/v1/cache/product-1", "/api/v1/cache/?key=product-1"])
def test_nothing_is_sent_after_the_head(path: str, alice: Caller, clock: Clock) -> None:
    """Asked past the client of tests, which leaves a body out by itself. A server would send it."""
    keep(alice.application)
    request = RequestFactory().head(path, headers={"Authorization": f"Bearer {alice.secret}"})
    response = api.values(request) if "?" in path else api.value(request, name="product-1")
    assert (response.status_code, response.content) == (200, b"")
    assert int(response["Content-Length"]) >= len(BODY)


ETAG, OTHER = "ETAG", '"other"'


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"If-None-Match": ETAG}, 304),
        ({"If-None-Match": f"W/{ETAG}"}, 304),
        ({"If-None-Match": f"{OTHER}, {ETAG}"}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": OTHER}, 200),
        ({"If-None-Match": "no hash at all"}, 200),
        ({"If-Modified-Since": as_http(NOW)}, 304),
        ({"If-Modified-Since": as_http(NOW + timedelta(hours=1))}, 304),
        ({"If-Modified-Since": as_http(NOW - timedelta(seconds=1))}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-None-Match": OTHER, "If-Modified-Since": as_http(NOW)}, 200),
        ({"If-None-Match": "no hash at all", "If-Modified-Since": as_http(NOW)}, 200),
        ({"If-None-Match": ETAG, "If-Modified-Since": as_http(NOW - timedelta(hours=1))}, 304),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_has_it_is_told_so(method: str, given: dict[str, str], status: int, alice: Caller, clock: Clock) -> None:
    etag = f'"{keep(alice.application, ttl_s=60).value.etag}"'
    given = {name: value.replace(ETAG, etag) for name, value in given.items()}
    answer = alice.send(method, "/cache/product-1", b"", **given)
    assert answer.status == status
    assert {"ETag", "Last-Modified", "Age", "X-Cache", "Cache-Control", "Vary"} <= set(answer.headers)
    if status == 304:
        assert answer.body == b""
        assert "Content-Type" not in answer.headers


def test_a_value_past_its_life_is_served_stale_and_asked_for(
    alice: Caller, clock: Clock, asked: list[list[int]]
) -> None:
    key = keep(alice.application, ttl_s=60)
    clock.goes_on(61)
    answer = alice.get("/cache/product-1")
    assert (answer.status, answer.headers["X-Cache"], answer.headers["Age"]) == (200, "stale", "61")
    assert asked == [[key.pk]]


def test_many_readers_of_one_process_ask_once(alice: Caller, clock: Clock, asked: list[list[int]]) -> None:
    keep(alice.application, ttl_s=60)
    clock.goes_on(61)
    assert [alice.get("/cache/product-1").headers["X-Cache"] for _ in range(5)] == ["stale"] * 5
    assert len(asked) == 1


def test_a_fresh_value_is_not_asked_for(alice: Caller, clock: Clock, asked: list[list[int]]) -> None:
    keep(alice.application, ttl_s=60)
    alice.get("/cache/product-1")
    assert asked == []


def test_one_that_may_not_be_served_any_more_is_being_fetched(
    alice: Caller, clock: Clock, asked: list[list[int]]
) -> None:
    key = keep(alice.application, ttl_s=60, stale_while_revalidate_s=0)
    clock.goes_on(61)
    answer = alice.get("/cache/product-1")
    assert (answer.status, answer.content_type, answer.headers["Retry-After"]) == (503, PROBLEM, "2")
    assert "being fetched" in answer.body["detail"]
    assert asked == [[key.pk]]


def test_one_whose_source_fails_tells_what_the_source_said(alice: Caller, clock: Clock, asked: list[list[int]]) -> None:
    key = keep(alice.application, ttl_s=60, stale_if_error_s=30)
    note_failure(key, 70)
    clock.goes_on(80)
    assert alice.get("/cache/product-1").headers["X-Cache"] == "stale"
    clock.goes_on(11)
    answer = alice.get("/cache/product-1")
    assert (answer.status, answer.content_type) == (502, PROBLEM)
    assert ERROR in answer.body["detail"]
    assert "Retry-After" in answer.headers
    assert asked == [[key.pk]]


@pytest.mark.parametrize(
    "name", ["100% über_alles\\", 'it\'s "quoted"', "🦡 badger", "a b", "?key=x", "#1", "%2F", "product:12:", "ü" * 400]
)
def test_any_name_that_a_key_can_have_is_found(name: str, alice: Caller, clock: Clock) -> None:
    keep(alice.application, name, body='"it"')
    assert alice.get(f"/cache/{quote(name, safe='')}").body == "it"


@pytest.mark.parametrize("name", ["nothing", "x" * 401, "product-1%20", "Product-1", "%FF"])
def test_what_is_no_key_is_a_404(name: str, alice: Caller, clock: Clock) -> None:
    keep(alice.application)
    answer = alice.get(f"/cache/{name}")
    assert (answer.status, answer.content_type) == (404, PROBLEM)
    assert answer.body == alice.get(f"/keys/{name}/").body


@pytest.mark.parametrize("name", ["product-1%00", "%00"])
def test_a_null_character_is_in_no_name(name: str, alice: Caller) -> None:
    keep(alice.application)
    answer = alice.get(f"/cache/{name}")
    assert (answer.status, answer.content_type) == (404, PROBLEM)


def test_another_tenants_key_is_a_404_also_when_it_has_the_same_name(
    alice: Caller, charlie: Caller, clock: Clock
) -> None:
    keep(alice.application, "hers", body='"hers"')
    keep(alice.application, "both", body='"hers"')
    keep(charlie.application, "both", body='"his"')
    for _ in range(2):  # from the rows, and from the copies
        assert alice.get("/cache/hers").body == "hers"
        assert charlie.get("/cache/hers").status == 404
        assert (alice.get("/cache/both").body, charlie.get("/cache/both").body) == ("hers", "his")


def same_words(one: Any, other: Any) -> bool:
    kept = ("WWW-Authenticate", "Content-Type", "Retry-After")
    return (one.status, one.body, [one.headers.get(name) for name in kept]) == (
        other.status,
        other.body,
        [other.headers.get(name) for name in kept],
    )


@pytest.mark.parametrize("header", [None, "Bearer", "Basic x", "Bearer a b", "Bearer bj_wrong", "Bearer é"])
def test_nobody_is_refused_in_the_words_of_the_api(header: str | None, alice: Caller) -> None:
    keep(alice.application)
    given = {} if header is None else {"Authorization": header}
    value, api = (Caller().get(path, **given) for path in ("/cache/product-1", "/jobs/"))
    assert value.status == 401
    assert same_words(value, api)


@pytest.mark.parametrize("path", ["/cache/product-1", "/cache/?key=product-1"])
def test_the_scope_for_reading_values_is_needed_and_enough(path: str, alice: Caller, clock: Clock) -> None:
    keep(alice.application)
    others = caller_for(alice.application, scopes=[scope for scope in Scope.values if scope != Scope.CACHE_READ])
    refused = others.get(path)
    assert (refused.status, refused.body["detail"]) == (403, "This token lacks the scope “cache:read”.")
    assert caller_for(alice.application, scopes=[Scope.CACHE_READ]).get(path).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_value_is_read_and_nothing_else(method: str, alice: Caller) -> None:
    keep(alice.application)
    answer = alice.send(method, "/cache/product-1", b"")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert answer.body == alice.send(method, "/schedules/preview/" if method != "POST" else "/", b"").body
