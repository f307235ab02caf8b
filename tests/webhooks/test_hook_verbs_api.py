"""The verbs of hooks by REST: pauses, other addresses, versions of the transform, examples, and trials."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from badgerjobs.lib.vault import MASK
from badgerjobs.runs.models import Run
from badgerjobs.web.trials import PER_MINUTE
from badgerjobs.workspaces.models import Role
from tests.callers import Caller
from tests.clients import browser_in
from tests.factories import make_delivery, make_hook, make_task
from webhooks.models import Delivery, Example, Hook, Standing
from webhooks.transforms import example_services
from webhooks.transforms.forms import of_delivery

CODE = "return {variables: {ID: body.id}}"


@pytest.fixture
def url(alice: Caller) -> str:
    """The address of a hook `orders` with a transform and one action."""
    make_task(alice.application, "products")
    actions = [{"type": "sync", "task": "products"}]
    return str(alice.post("/hooks/", {"tag": "orders", "transform": CODE, "actions": actions}).body["url"])


def said(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


# Paused and resumed.


def test_a_paused_hook_takes_what_comes_and_acts_upon_it_when_it_is_resumed(
    alice: Caller, url: str, django_capture_on_commit_callbacks: Any
) -> None:
    until = said(timezone.now() + timedelta(hours=1))
    paused = alice.post("/hooks/orders/pause/", {"reason": "Stocktaking.", "until": until}).body
    assert [paused[name] for name in ("enabled", "pause_reason", "paused_until")] == [False, "Stocktaking.", until]
    assert Caller().post(url, {"id": 1}).status == 202
    assert (Delivery.objects.get().standing, Run.objects.count()) == (Standing.HELD, 0)
    with django_capture_on_commit_callbacks(execute=True):
        resumed = alice.post("/hooks/orders/resume/").body
    assert [resumed[name] for name in ("enabled", "pause_reason", "paused_until")] == [True, None, None]
    assert (Delivery.objects.get().standing, Run.objects.count()) == (Standing.ACCEPTED, 1)


def test_a_hook_that_is_paused_again_says_why_anew(alice: Caller, url: str) -> None:
    for reason in ("Stocktaking.", "Still."):
        assert alice.post("/hooks/orders/pause/", {"reason": reason}).body["pause_reason"] == reason
    assert Caller().post(url, {}).status == 202


@pytest.mark.usefixtures("url")
def test_a_pause_ends_in_the_future(alice: Caller) -> None:
    assert "until" in alice.post("/hooks/orders/pause/", {"until": "2020-01-01T00:00:00Z"}).errors


# Another address.


def test_a_rotated_address_takes_the_place_of_the_one_before_which_leads_here_for_a_day(
    alice: Caller, url: str
) -> None:
    rotated = alice.post("/hooks/orders/rotate/").body
    assert rotated["url"] != url
    assert rotated["previous_until"]
    assert [Caller().post(where, {"id": 1}).status for where in (url, rotated["url"])] == [202, 202]


def test_without_an_overlap_the_address_before_leads_nowhere(alice: Caller, url: str) -> None:
    rotated = alice.post("/hooks/orders/rotate/", {"overlap_s": 0}).body
    assert rotated["previous_until"] is None
    assert [Caller().post(where, {"id": 1}).status for where in (url, rotated["url"])] == [404, 202]
    assert "overlap_s" in alice.post("/hooks/orders/rotate/", {"overlap_s": 604_801}).errors


def test_a_rotation_that_is_sent_twice_is_done_once(alice: Caller, url: str) -> None:
    first, second = (alice.post("/hooks/orders/rotate/", Idempotency_Key="once") for _ in range(2))
    assert url != first.body["url"] == second.body["url"] == alice.get("/hooks/orders/").body["url"]


# Versions.


@pytest.mark.usefixtures("url")
def test_versions_are_listed_newest_first_read_and_gone_back_to(alice: Caller) -> None:
    alice.patch("/hooks/orders/", {"transform": "return null"})
    rows = alice.get("/hooks/orders/versions/").body["results"]
    assert [row["number"] for row in rows] == [2, 1]
    assert rows[0].keys() == {"number", "made_by", "made_at"}
    assert alice.get("/hooks/orders/versions/1/").body["code"] == CODE
    restored = alice.post("/hooks/orders/versions/1/restore/").body
    assert (restored["transform"], restored["transform_version"]) == (CODE, 3)
    assert alice.get("/hooks/orders/versions/9/").status == 404
    assert alice.post("/hooks/orders/versions/9/restore/").status == 409


# Examples.


@pytest.mark.usefixtures("url")
def test_an_example_is_put_read_listed_and_deleted(alice: Caller) -> None:
    given = {"body": {"id": 7}, "headers": {"X-Topic": "orders"}, "expected": {"variables": {"ID": "7"}}}
    made = alice.put("/hooks/orders/examples/seven/", given)
    assert made.status == 201
    assert {**made.body, "created_at": ""} == {
        "name": "seven", "body": '{\n  "id": 7\n}', "headers": {"x-topic": "orders"},
        "expected": {"variables": {"ID": "7"}}, "created_at": "",
    }  # fmt: skip
    assert alice.get("/hooks/orders/examples/seven/").body == made.body
    changed = alice.put("/hooks/orders/examples/seven/", {"body": "no JSON"})
    assert (changed.status, changed.body["body"], changed.body["expected"]) == (200, "no JSON", None)
    assert [row["name"] for row in alice.get("/hooks/orders/examples/").body["results"]] == ["seven"]
    assert alice.delete("/hooks/orders/examples/seven/").status == 204
    assert alice.get("/hooks/orders/examples/seven/").status == 404
    assert alice.delete("/hooks/orders/examples/seven/").status == 404


@pytest.mark.usefixtures("url")
def test_an_example_that_was_read_can_be_sent_back(alice: Caller) -> None:
    read = alice.put("/hooks/orders/examples/seven/", {"body": "{}"}).body
    assert alice.put("/hooks/orders/examples/seven/", read).body == read


@pytest.mark.usefixtures("url")
def test_a_delivery_is_kept_as_an_example(alice: Caller) -> None:
    delivery = make_delivery(Hook.objects.get(), body='{"name": "Ötzi"}'.encode(), headers={"X-Topic": "orders"})
    made = alice.put("/hooks/orders/examples/it/", {"delivery": str(delivery.pk)})
    assert (made.body["body"], made.body["headers"]) == ('{"name": "Ötzi"}', {"x-topic": "orders"})


@pytest.mark.usefixtures("url")
def test_what_came_becomes_the_same_example_wherever_it_is_kept(alice: Caller) -> None:
    headers = {"X-Topic": "orders", "Authorization": MASK, "X-Hub-Signature-256": "sha256=1", "X-Chosen": MASK}
    hook = Hook.objects.get()
    delivery = make_delivery(hook, body=b'{"id":7}', headers=headers)
    browser = browser_in(alice.application, Role.EDITOR)
    browser.post(f"/a/{alice.application.slug}/deliveries/{delivery.pk}/example/", {"name": "page"})
    alice.put("/hooks/orders/examples/rest/", {"delivery": str(delivery.pk)})
    form = of_delivery(delivery)
    assert (json.loads(form["example_body"]), form["example_headers"]) == ({"id": 7}, '{\n  "x-topic": "orders"\n}')
    kept = Example.objects.order_by("name").values_list("name", "body", "headers")
    assert list(kept) == [(name, '{"id":7}', {"x-topic": "orders"}) for name in ("page", "rest")]


@pytest.mark.usefixtures("url")
def test_a_delivery_that_is_no_text_or_another_hooks_makes_no_example(alice: Caller) -> None:
    binary = make_delivery(Hook.objects.get(), body=b"\xff\xfe")
    null = make_delivery(Hook.objects.get(), body=b"a\0b")
    others = make_delivery(make_hook(alice.application, "others"))
    for delivery in (binary, null, others):
        answer = alice.put("/hooks/orders/examples/it/", {"delivery": str(delivery.pk)})
        assert (answer.status, list(answer.errors)) == (400, ["delivery"])
    both = {"delivery": str(others.pk), "body": "{}"}
    assert "not both" in alice.put("/hooks/orders/examples/it/", both).errors["delivery"][0]
    assert not Example.objects.exists()


@pytest.mark.usefixtures("url")
def test_a_hook_has_so_many_examples_and_each_is_so_long_at_most(
    alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(example_services, "MOST_EXAMPLES", 1)
    assert "bytes" in alice.put("/hooks/orders/examples/a/", {"body": "x" * 262_145}).errors["body"][0]
    assert [alice.put(f"/hooks/orders/examples/{name}/", {}).status for name in ("a", "b", "a")] == [201, 409, 200]


# Trials.


def tried(alice: Caller, **given: Any) -> dict[str, Any]:
    answer = alice.post("/hooks/orders/try/", given)
    assert answer.status == 200, answer.body
    return dict(answer.body)


@pytest.mark.usefixtures("url")
def test_a_trial_says_what_would_be_done_and_does_nothing(alice: Caller) -> None:
    came = tried(alice, body={"id": 7})
    assert (came["ok"], came["error"], came["variables"], came["filtered"]) == (True, None, {"ID": "7"}, None)
    [act] = came["acts"]
    assert act == {"name": "sync", "type": "sync", "target": act["target"], "variables": {"ID": "7"}}
    assert not Run.objects.exists()
    assert not Delivery.objects.exists()


@pytest.mark.usefixtures("url")
def test_another_transform_is_tried_and_not_stored(alice: Caller) -> None:
    code = "console.log(headers['x-topic']); return {filtered: 'Not ours.'}"
    came = tried(alice, transform=code, body="text", headers={"X-Topic": "orders"})
    assert (came["ok"], came["filtered"], came["acts"]) == (True, "Not ours.", [])
    assert came["console"] == [{"level": "log", "text": "orders"}]
    assert Hook.objects.get().transform == CODE


@pytest.mark.usefixtures("url")
def test_it_is_tried_with_an_example_and_with_what_came(alice: Caller) -> None:
    alice.put("/hooks/orders/examples/seven/", {"body": {"id": 7}})
    delivery = make_delivery(Hook.objects.get(), body=b'{"id": 8}')
    assert tried(alice, example="seven")["variables"] == {"ID": "7"}
    assert tried(alice, delivery=str(delivery.pk))["variables"] == {"ID": "8"}
    assert alice.post("/hooks/orders/try/", {"example": "none"}).status == 404
    assert "example" in alice.post("/hooks/orders/try/", {"example": "seven", "body": 1}).errors


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("return 1", "must return"),
        ("return body.a.b", "The transform failed"),
        ("return {actions: [{name: 'nothing'}]}", "no action “nothing”"),
    ],
)
@pytest.mark.usefixtures("url")
def test_what_is_wrong_with_a_transform_is_said(alice: Caller, code: str, error: str) -> None:
    came = tried(alice, transform=code, body={})
    assert (came["ok"], came["variables"], came["acts"]) == (False, None, [])
    assert error in came["error"]


@pytest.mark.usefixtures("url")
def test_an_application_tries_so_many_in_a_minute(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.trials.count", lambda *_, **__: PER_MINUTE + 1)
    assert alice.post("/hooks/orders/try/", {"body": 1}).status == 429
