"""Values are read past what is for people; nothing that makes an answer secure is left out."""

from typing import Any

import pytest
from django.conf import settings as configured

from tests.callers import PROBLEM, Caller
from tests.tasks.cache.stored import Clock, keep

# What each answer of the API has beside its own headers.
SECURE = {
    "Content-Security-Policy",
    "Cross-Origin-Opener-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
}
LONG_WAY = [name for name in configured.MIDDLEWARE if name != "tasks.cache.short_way.short_way"]


@pytest.mark.parametrize("path", ["/cache/product-1", "/cache/?key=product-1", "/cache/nothing", "/cache/"])
@pytest.mark.parametrize("secret", [True, False], ids=["with a token", "with none"])
def test_every_answer_has_the_headers_that_all_others_have(
    path: str, secret: bool, alice: Caller, clock: Clock
) -> None:
    keep(alice.application)
    other = alice.get("/jobs/").headers
    answer = (alice if secret else Caller()).get(path).headers
    assert set(other) >= SECURE
    assert {name: answer[name] for name in SECURE} == {name: other[name] for name in SECURE}


@pytest.mark.parametrize("path", ["/cache/product-1", "/cache/?key=product-1", "/cache/nothing", "/cache/"])
def test_the_long_way_leads_to_the_same(path: str, alice: Caller, clock: Clock, settings: Any) -> None:
    keep(alice.application)
    short = alice.get(path)
    settings.MIDDLEWARE = LONG_WAY
    long = Caller(alice.secret, alice.owner).get(path)
    assert (long.status, long.body) == (short.status, short.body)
    assert {name: long.headers[name] for name in short.headers} == dict(short.headers)


def test_nothing_is_asked_of_sessions(alice: Caller, clock: Clock) -> None:
    keep(alice.application)
    alice.client.cookies["sessionid"] = "x" * 32
    answer = alice.get("/cache/product-1")
    assert answer.status == 200
    assert "Cookie" not in answer.headers["Vary"]


@pytest.mark.parametrize("host", ["evil.example", "a b", "localhost:x"])
def test_a_host_that_is_none_of_ours_is_refused(host: str, alice: Caller, clock: Clock) -> None:
    keep(alice.application)
    value, other = (alice.get(path, Host=host) for path in ("/cache/product-1", "/jobs/"))
    assert (value.status, value.content_type) == (400, PROBLEM)
    assert value.body == other.body


@pytest.mark.parametrize("path", ["/cache", "/cache/a/b", "/cache/product-1/", "/cached/product-1"])
def test_what_is_no_such_address_goes_the_way_of_all_others(path: str, alice: Caller) -> None:
    keep(alice.application)
    answer = alice.get(path)
    assert (answer.status, answer.content_type) == (404, PROBLEM)
