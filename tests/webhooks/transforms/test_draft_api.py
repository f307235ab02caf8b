"""A draft of a transform is tried by REST on the examples and on what came, beside what is saved; nothing is done."""

from typing import Any

import pytest

from badgerjobs.runs.models import Run
from badgerjobs.web.trials import PER_MINUTE
from badgerjobs.workspaces.models import Scope
from tests.callers import Caller, caller_for
from tests.factories import make_delivery, make_hook
from webhooks.models import Delivery, Example, Hook, Standing
from webhooks.receiving.packing import packed

SAVED = "return {variables: {ID: body.id}}"
DRAFT = "console.log(headers['x-topic']); return {variables: {ID: body.product.id}}"


@pytest.fixture
def hook(alice: Caller) -> Hook:
    return make_hook(alice.application, "orders", transform=SAVED)


def tried(caller: Caller, **given: Any) -> Any:
    answer = caller.post("/hooks/orders/try-draft/", given)
    assert answer.status == 200, answer.body
    return answer.body


def test_each_payload_is_told_with_what_is_made_of_it_now_and_by_the_draft(alice: Caller, hook: Hook) -> None:
    came = make_delivery(hook, body=b'{"id": 1, "product": {"id": 2}}', headers={"X-Topic": "products/update"})
    body = tried(alice, transform=DRAFT)
    assert (body["differing"], body["failing"], body["untried"]) == (1, [], 0)
    assert body["tried"] == [
        {
            "example": None,
            "delivery": str(came.pk),
            "differs": True,
            "fails": False,
            "before": {"returned": {"variables": {"ID": "1"}}, "error": None, "console": []},
            "after": {
                "returned": {"variables": {"ID": "2"}},
                "error": None,
                "console": [{"level": "log", "text": "products/update"}],
            },
            "expected": None,
        }
    ]
    hook.refresh_from_db()
    assert (hook.transform, Run.objects.count()) == (SAVED, 0)


def test_the_examples_that_a_draft_breaks_are_named(alice: Caller, hook: Hook) -> None:
    for name, expected in (("a", {"variables": [{"ID": 1}]}), ("b", {"variables": {"ID": 2}}), ("c", None)):
        Example.objects.create(hook=hook, name=name, body='{"id": 1, "product": {"id": 2}}', expected=expected)
    Example.objects.create(hook=hook, name="d", body="{}")
    body = tried(alice, transform=DRAFT)
    assert body["failing"] == ["a", "d"]
    told = {one["example"]: one for one in body["tried"]}
    assert list(told) == ["a", "b", "c", "d"]
    assert told["a"]["expected"] == {"variables": {"ID": "1"}}
    assert told["d"]["after"]["returned"] is None
    assert "TypeError" in told["d"]["after"]["error"]


def test_it_is_tried_on_the_newest_that_were_believed(alice: Caller, hook: Hook) -> None:
    rows = [make_delivery(hook, body=b'{"id": %d}' % number) for number in range(5)]
    for standing in (Standing.REFUSED, Standing.DUPLICATE):
        make_delivery(hook, standing=standing)
    make_delivery(make_hook(alice.application, "others"))
    names = [one["delivery"] for one in tried(alice, transform="", deliveries=3)["tried"]]
    assert names == [str(one.pk) for one in reversed(rows[2:])]
    assert tried(alice, transform="", deliveries=0)["tried"] == []


def test_long_bodies_are_read_as_they_came(alice: Caller, hook: Hook) -> None:
    raw = b'{"id": "%s"}' % (b"7" * 100_000)
    body, is_packed = packed(raw)
    make_delivery(hook, body=body, packed=is_packed)
    [one] = tried(alice, transform="return {variables: {LENGTH: body.id.length}}")["tried"]
    assert (is_packed, one["after"]["returned"]) == (True, {"variables": {"LENGTH": "100000"}})


@pytest.mark.parametrize(
    ("given", "field"),
    [({}, "transform"), ({"transform": "", "deliveries": 51}, "deliveries"), ({"transform": "", "x": 1}, "x")],
    ids=["no draft", "too many", "unknown"],
)
def test_what_cannot_be_tried_is_told_why(alice: Caller, hook: Hook, given: dict[str, Any], field: str) -> None:
    answer = alice.post("/hooks/orders/try-draft/", given)
    assert (answer.status, list(answer.errors)) == (400, [field])


def test_drafts_are_tried_so_often_in_a_minute_and_no_more(alice: Caller, hook: Hook) -> None:
    for _ in range(PER_MINUTE):
        tried(alice, transform="")
    answer = alice.post("/hooks/orders/try-draft/", {"transform": ""})
    assert (answer.status, answer.headers["Retry-After"]) == (429, "10")


def test_it_needs_the_scope_that_may_change_the_hook(alice: Caller, hook: Hook) -> None:
    reader = caller_for(alice.application, scopes=[Scope.READ])
    assert reader.post("/hooks/orders/try-draft/", {"transform": ""}).status == 403
    assert alice.post("/hooks/none/try-draft/", {"transform": ""}).status == 404
    assert Delivery.objects.count() == 0
