"""A delivery is the same example whichever way it becomes one."""

import gzip
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from badgerjobs.web.definitions import json_text
from tests.callers import Caller
from tests.clients import browser_in
from tests.factories import make_delivery, make_hook
from webhooks.models import Delivery, Hook

# As headers are stored: credentials as stars.
HEADERS = {"X-Topic": "paid", "Authorization": "••••••••", "X-Hub-Signature-256": "sha256=0a"}


@pytest.fixture
def hook(alice: Caller) -> Hook:
    return make_hook(alice.application, "orders", transform="return {variables: headers}")


@pytest.fixture
def browser(alice: Caller) -> Client:
    return browser_in(alice.application)


def at(name: str, hook: Hook, *args: Any) -> str:
    return reverse(f"webhooks:{name}", args=[hook.application.slug, *args])


def saved_by_page(hook: Hook, browser: Client, delivery: Delivery) -> Any:
    return browser.post(at("save-as-example", hook, delivery.pk), {"name": "page"})


def beside_the_draft(hook: Hook, browser: Client, delivery: Delivery) -> Any:
    return browser.get(at("transform", hook, hook.tag), {"delivery": str(delivery.pk)}).context["form"]


def test_a_delivery_makes_the_same_example_by_rest_and_on_the_pages(alice: Caller, hook: Hook, browser: Client) -> None:
    delivery = make_delivery(hook, body=b'{"n":1.0}', headers=HEADERS)
    assert alice.put("/hooks/orders/examples/rest/", {"delivery": str(delivery.pk)}).status == 201
    saved_by_page(hook, browser, delivery)
    kept = {one.name: (one.headers, one.body) for one in hook.examples.all()}
    assert kept == dict.fromkeys(("rest", "page"), ({"x-topic": "paid"}, '{"n":1.0}'))
    shown = beside_the_draft(hook, browser, delivery)
    assert json_text.read(shown["example_headers"].value()) == {"x-topic": "paid"}
    assert json_text.read(shown["example_body"].value()) == {"n": 1.0}


def test_a_transform_is_tried_with_what_came_and_without_its_credentials(alice: Caller, hook: Hook) -> None:
    delivery = make_delivery(hook, headers=HEADERS)
    tried = alice.post("/hooks/orders/try/", {"delivery": str(delivery.pk)}).body
    assert tried["variables"] == {"x-topic": "paid"}


def test_what_came_encoded_is_tried_and_kept_without_that(alice: Caller, hook: Hook, browser: Client) -> None:
    sent = {**HEADERS, "Content-Encoding": "gzip", "Content-Length": "29"}
    delivery = make_delivery(hook, body=gzip.compress(b'{"n":1}'), headers=sent)
    code = "return {variables: {N: body.n, ...headers}}"
    tried = alice.post("/hooks/orders/try/", {"delivery": str(delivery.pk), "transform": code}).body
    assert (tried["error"], tried["variables"]) == (None, {"N": "1", "x-topic": "paid"})
    assert alice.put("/hooks/orders/examples/rest/", {"delivery": str(delivery.pk)}).status == 201
    saved_by_page(hook, browser, delivery)
    kept = {one.name: (one.headers, one.body) for one in hook.examples.all()}
    assert kept == dict.fromkeys(("rest", "page"), ({"x-topic": "paid"}, '{"n":1}'))
    form = beside_the_draft(hook, browser, delivery)
    assert json_text.read(form["example_body"].value()) == {"n": 1}
    assert form["example_headers"].value() == json_text.written({"x-topic": "paid"})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (gzip.compress(b"1")[:-1], "The body is encoded with gzip, and its end is missing."),
        (gzip.compress(b" " * 5_000_001), "Without its encoding the body has more than 5,000,000 bytes."),
    ],
    ids=["cut off", "too long"],
)
def test_beside_a_draft_it_is_said_why_an_encoded_body_cannot_be_read(
    hook: Hook, browser: Client, body: bytes, said: str
) -> None:
    form = beside_the_draft(hook, browser, make_delivery(hook, body=body, headers={"Content-Encoding": "gzip"}))
    assert (form["example_body"].value(), form.cut) == ("", said)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a\0b"], ids=["bytes", "a null character"])
def test_what_nobody_can_type_is_an_example_in_no_way(alice: Caller, hook: Hook, browser: Client, body: bytes) -> None:
    delivery = make_delivery(hook, body=body)
    refused = alice.put("/hooks/orders/examples/rest/", {"delivery": str(delivery.pk)})
    assert (refused.status, list(refused.errors)) == (400, ["delivery"])
    assert "delivery" in alice.post("/hooks/orders/try/", {"delivery": str(delivery.pk)}).errors
    saved_by_page(hook, browser, delivery)
    assert not hook.examples.exists()
