"""The id by which a provider knows what it sends, and the challenge that it sends before."""

import json

import pytest

from tests.webhooks.verification.senders import called
from webhooks.verification import SCHEMES, scheme_of

OTHERS = ("none", "hmac", "basic", "bearer", "addresses")
HEADERS = [
    ("standard", {"webhook-id": "msg_1", "svix-id": "msg_2"}, "msg_1"),
    ("standard", {"svix-id": "msg_2"}, "msg_2"),
    ("standard", {"webhook-id": "msg_1", "svix-id": "msg_2", "svix-signature": "v1,x"}, "msg_2"),
    ("github", {"x-github-delivery": "72d3162e"}, "72d3162e"),
    ("gitlab", {"webhook-id": "a", "idempotency-key": "b", "x-gitlab-event-uuid": "c"}, "a"),
    ("gitlab", {"idempotency-key": "b", "x-gitlab-event-uuid": "c"}, "b"),
    ("gitlab", {"webhook-id": "", "x-gitlab-event-uuid": "c"}, "c"),
    ("gitlab", {"webhook-id": "a", "svix-id": "b", "svix-signature": "v1,x", "idempotency-key": "c"}, "b"),
    ("shopify", {"x-shopify-event-id": "e", "x-shopify-topic": "orders/create"}, "e orders/create"),
    ("shopify", {"x-shopify-event-id": "e", "x-shopify-webhook-id": "w"}, "e"),
    ("shopify", {"x-shopify-event-id": "e"}, "e"),
    ("shopify", {"x-shopify-webhook-id": "w"}, "w"),
    *[(name, {"webhook-id": "a", "idempotency-key": "b"}, "a") for name in OTHERS],
    *[(name, {"idempotency-key": "b"}, "b") for name in OTHERS],
]  # fmt: skip


@pytest.mark.parametrize(("scheme", "headers", "found"), HEADERS)
def test_an_id_is_read_from_the_providers_header(scheme: str, headers: dict[str, str], found: str) -> None:
    assert scheme_of(scheme).event_id(called(headers)) == found


def test_one_event_of_shopify_under_two_topics_is_no_repeat() -> None:
    found = {
        scheme_of("shopify").event_id(called({"x-shopify-event-id": "e", "x-shopify-topic": topic}))
        for topic in ("orders/create", "orders/updated")
    }
    assert len(found) == 2


@pytest.mark.parametrize(("scheme", "field"), [("stripe", "id"), ("slack", "event_id")])
def test_an_id_is_read_from_the_body_where_the_provider_has_it_there(scheme: str, field: str) -> None:
    read = scheme_of(scheme).event_id
    assert read(called({"webhook-id": "other"}, json.dumps({field: "evt_1"}).encode())) == "evt_1"
    for body in (b"", b"no JSON", b"\xff", b"[]", b"7", b"{}", b"[" * 100_000, b"9" * 5000):
        assert read(called({}, body)) == ""
    for value in (7, None, ["evt_1"], {"id": 1}, True, ""):
        assert read(called({}, json.dumps({field: value}).encode())) == ""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_without_an_id_there_is_none(scheme: str) -> None:
    assert scheme_of(scheme).event_id(called({}, b"")) == ""


def test_ids_are_kept_as_far_as_they_can_be() -> None:
    read = scheme_of("stripe").event_id
    assert read(called({}, b'{"id": "a\\u0000b\\ud800"}')) == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"
    assert read(called({}, b'{"id": " a "}')) == "a"
    assert read(called({}, json.dumps({"id": "a" * 200}).encode())) == "a" * 200
    long = [read(called({}, json.dumps({"id": "a" * 201 + end}).encode())) for end in "bcb"]
    assert long[0] == long[2] != long[1]
    assert all(one.startswith("sha256:") and len(one) < 200 for one in long)


SLACKS = b'{"token": "t", "challenge": "3eZbrw1aB", "type": "url_verification"}'
NONE = [
    b'{"challenge": "3eZbrw1aB", "type": "event_callback"}',
    b'{"challenge": "3eZbrw1aB", "event": {"type": "url_verification"}}',
    b'{"challenge": 7, "type": "url_verification"}',
    b'{"type": "url_verification"}',
    b'["url_verification"]',
    b"url_verification",
    b'{"type": "url_verification", "challenge": "' + b"x" * 201 + b'"}',
    b'{"type": "url_verification", "challenge": "x"}' + b" " * 5000,
    b"",
]


def test_slacks_challenge_is_what_it_asks_to_be_answered() -> None:
    assert scheme_of("slack").challenge(called({}, SLACKS)) == "3eZbrw1aB"
    assert {scheme_of(name).challenge(called({}, SLACKS)) for name in SCHEMES if name != "slack"} == {""}


@pytest.mark.parametrize("body", NONE, ids=range(len(NONE)))
def test_nothing_else_is_a_challenge(body: bytes) -> None:
    assert scheme_of("slack").challenge(called({}, body)) == ""
