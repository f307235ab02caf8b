"""What whoever calls is answered, once what came is stored."""

from typing import Any

import pytest

from badgerjobs.workspaces.models import Application
from tests.factories import make_hook
from tests.webhooks.sending import sent
from webhooks.models import Delivery
from webhooks.models.hook import RESPONSE_TYPES

PAGE = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("fields", "status", "kind", "body"),
    [
        ({"response": "empty"}, 200, "text/plain", b""),
        ({"response_body": "ok"}, 200, "text/plain", b"ok"),
        ({"response_status": 201, "response_type": "application/json", "response_body": '{"a": 1}'}, 201,
         "application/json", {"a": 1}),
        ({"response_type": "text/xml", "response_body": "<ok/>"}, 200, "text/xml", b"<ok/>"),
        ({"response_status": 204, "response_body": "ok"}, 204, "text/plain", b""),
        ({"response_type": "text/html", "response_body": PAGE}, 200, "text/plain", PAGE.encode()),
        ({"response_type": "text/plain\r\nX: 1", "response_body": "ok"}, 200, "text/plain", b"ok"),
        ({"response_status": 302, "response_body": "ok"}, 200, "text/plain", b"ok"),
    ],
    ids=["empty", "text", "JSON", "XML", "no content", "a page", "two headers", "a redirect"],
)  # fmt: skip
def test_the_answer_is_the_one_that_was_chosen(
    shop: Application, fields: Any, status: int, kind: str, body: Any
) -> None:
    answer = sent(make_hook(shop, **{"response": "fixed", **fields}))
    assert (answer.status, answer.content_type, answer.body) == (status, kind, body)
    assert Delivery.objects.count() == 1


def test_no_type_is_one_that_a_browser_runs() -> None:
    assert set(RESPONSE_TYPES) == {"text/plain", "application/json", "application/xml", "text/xml"}


@pytest.mark.parametrize("kind", RESPONSE_TYPES)
def test_a_fixed_answer_runs_nothing_on_our_origin(shop: Application, kind: str) -> None:
    hook = make_hook(shop, methods=["GET"], response="fixed", response_type=kind, response_body="{}")
    answer = sent(hook, b"", "GET", Accept="text/html")
    assert answer.content_type == kind
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_duplicate_is_answered_like_the_first(shop: Application) -> None:
    hook = make_hook(shop, repeats="body", response="fixed", response_status=201, response_body="ok")
    assert [(answer.status, answer.body) for answer in (sent(hook), sent(hook))] == [(201, b"ok")] * 2
    assert set(Delivery.objects.values_list("standing", flat=True)) == {"stored", "duplicate"}


def test_who_is_refused_does_not_get_the_fixed_answer(shop: Application) -> None:
    hook = make_hook(shop, response="fixed", response_body="ok", verification="bearer", settings={"secret": "s"})
    assert sent(hook).status == 401
