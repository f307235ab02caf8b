"""The page of a delivery: what came, what was decided, what that led to; and what can be done from there."""

import gzip
import json
import zlib
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.models import Application, Role
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_attempt, make_delivery, make_hook, make_run, make_task
from tests.webhooks.pages.test_deliveries_page import at, make_act
from webhooks.deliveries.page import DeliveryPage
from webhooks.models import Delivery, Hook, Standing

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Application:
    return make_application()


@pytest.fixture
def hook(shop: Application) -> Hook:
    return make_hook(shop, "orders", name="Orders")


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


def look(browser: Client, delivery: Delivery, **query: str) -> str:
    return browser.get(
        reverse("webhooks:delivery", args=[delivery.application.slug, delivery.pk]), query
    ).content.decode()


def test_the_request_is_shown_as_it_came(hook: Hook, alice: Client) -> None:
    headers = {"Content-Type": "application/json", "X-Topic": "orders/paid", "Authorization": "••••••••"}
    delivery = make_delivery(hook, query="a=1&b=%20", headers=headers, method="PUT", event_id="evt_7")
    page = look(alice, delivery)
    for said in ("<b>PUT</b> ?a=1&amp;b=%20", "x-topic:</span> orders/paid", "authorization:", "203.0.113.7", "evt_7"):
        assert said in page
    assert "category" in page


BODIES = [
    (b"", False, "It has no body."),
    (b"\xff\x00", False, "This is no text."),
    (b"<b>markup</b>", False, "&lt;b&gt;markup&lt;/b&gt;"),
    (zlib.compress(b"long " * 20_000), True, "the whole body has 100,000 bytes"),
]


@pytest.mark.parametrize(("body", "packed", "said"), BODIES, ids=["empty", "no text", "markup", "long"])
def test_a_body_is_shown_as_far_as_it_can_be(hook: Hook, alice: Client, body: bytes, packed: bool, said: str) -> None:
    assert said in look(alice, make_delivery(hook, body=body, packed=packed))


GZIPPED = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
ENCODED = [
    (gzip.compress(b'{"id": "seven"}'), ("&quot;seven&quot;", "It is shown without its encoding"), True),
    (gzip.compress(b"\xff\x00"), ("This is no text.",), False),
    (gzip.compress(b'{"id": 7}')[:-4], ("The body is encoded with gzip, and its end is missing.",), False),
    (b'{"id": "seven"}', ("&quot;seven&quot;", "The body is said to be encoded with gzip, and is not."), True),
]


@pytest.mark.parametrize(("body", "said", "is_example"), ENCODED, ids=["JSON", "no text", "cut off", "not encoded"])
def test_what_came_encoded_is_shown_as_its_transform_sees_it(
    hook: Hook, alice: Client, body: bytes, said: tuple[str, ...], is_example: bool
) -> None:
    page = look(alice, make_delivery(hook, body=body, headers=GZIPPED))
    assert all(one in page for one in said)
    assert ('id="save-example"' in page) == is_example


def test_a_body_is_a_file_byte_for_byte(shop: Application, hook: Hook, alice: Client) -> None:
    raw = bytes(range(256)) * 300
    delivery = make_delivery(hook, body=zlib.compress(raw), packed=True)
    answer = alice.get(at(shop, "delivery-body", delivery.pk))
    assert answer.content == raw
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_duplicate_leads_to_the_first_and_the_first_to_it(shop: Application, hook: Hook, alice: Client) -> None:
    first = make_delivery(hook)
    second = make_delivery(hook, standing=Standing.DUPLICATE, duplicate_of=first.pk)
    assert at(shop, "delivery", first.pk) in look(alice, second)
    assert f'id="repeat-{second.pk}"' in look(alice, first)


def test_what_it_caused_leads_to_targets_and_runs(shop: Application, hook: Hook, alice: Client) -> None:
    task = make_task(shop, "refresh")
    run = make_run(task.runnable, State.FAILED, number=7)
    Hook.objects.filter(pk=hook.pk).update(actions=[{"name": "sync", "type": "sync", "task": "refresh"}])
    delivery = make_delivery(hook, State.SUCCEEDED)
    make_act(delivery, caused=run.pk, said="Run 7 was made.")
    make_act(delivery, 1, name="gone", state="failed", said="There is no such task.")
    page = look(alice, delivery)
    assert f'<a id="target-0" href="{reverse("tasks:task", args=[shop.slug, "refresh"])}">refresh</a>' in page
    assert f'<a id="caused-0" href="{reverse("runs:run", args=[shop.slug, run.pk])}">run 7</a>' in page
    assert "There is no such task." in page


def test_variables_and_the_console_of_its_transform_are_shown(hook: Hook, alice: Client) -> None:
    delivery = make_delivery(hook, State.SUCCEEDED)
    output = {"variables": {"ID": "12"}, "version": 3, "console": [{"level": "warn", "text": "odd order"}]}
    Run.objects.filter(pk=delivery.pk).update(output=output)
    page = look(alice, delivery)
    for said in ("&quot;ID&quot;", "version 3", "odd order", "warn"):
        assert said in page


def test_what_each_action_was_given_is_shown_and_what_is_long_is_cut(hook: Hook, alice: Client) -> None:
    delivery = make_delivery(hook, State.SUCCEEDED)
    Run.objects.filter(pk=delivery.pk).update(output={"variables": {}, "version": 1, "console": []})
    make_act(delivery, 0, given={"variables": {"ID": "1"}, "value": {"price": 12}})
    make_act(delivery, 1, given={"variables": {}, "value": None})
    make_act(delivery, 2, given={"variables": {}, "value": "x" * 5_000})
    make_act(delivery, 3, given={"variables": {}})
    page = DeliveryPage(hook.application, delivery, chosen=None, now=NOW)
    assert [one.given for one in page.caused] == [
        [("variables", '{"ID": "1"}'), ("value", '{"price": 12}')],
        [("value", "null")],
        [("value", '"' + "x" * 299 + "… (in all 5,002 characters)")],
        [],
    ]
    shown = look(alice, delivery)
    assert "given the value <code>{&quot;price&quot;: 12}</code>" in shown
    assert "what each was given stands with it" in shown
    assert "It returned no variables." not in shown


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (None, "done without variables. Those whose input is the body were given that."),
        (2, "It returned no variables."),
    ],
    ids=["no transform", "nothing returned"],
)
def test_what_gave_no_variables_says_so(hook: Hook, alice: Client, version: int | None, said: str) -> None:
    delivery = make_delivery(hook, State.SUCCEEDED)
    Run.objects.filter(pk=delivery.pk).update(output={"variables": {}, "version": version})
    make_act(delivery, given={"variables": {}})
    assert said in look(alice, delivery)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ({"variables": {}, "version": None}, "The webhook had no transform."),
        ({"variables": {}, "version": 2}, "It came to nothing: see above."),
        (None, "It did not come to that: see above."),
    ],
    ids=["no transform", "a transform", "nothing told"],
)
def test_what_a_failed_run_says_of_its_transform_is_true(
    hook: Hook, alice: Client, output: dict[str, Any] | None, said: str
) -> None:
    delivery = make_delivery(hook, State.FAILED)
    Run.objects.filter(pk=delivery.pk).update(output=output, error="The action failed.")
    page = look(alice, delivery)
    assert [one for one in ("no transform.", "came to nothing", "did not come to that") if one in page] == [
        one for one in ("no transform.", "came to nothing", "did not come to that") if one in said
    ]


def test_all_its_runs_are_listed_and_an_older_one_can_be_read(shop: Application, hook: Hook, alice: Client) -> None:
    delivery = make_delivery(hook, State.FAILED)
    first = Run.objects.get(pk=delivery.pk)
    Run.objects.filter(pk=first.pk).update(error="The first failed.")
    second = make_run(hook.runnable, State.SUCCEEDED, number=0, replay_of=first.pk)
    beside = make_run(hook.runnable, State.FAILED, number=0, replay_of=first.pk)
    Delivery.objects.filter(pk=delivery.pk).update(run_id=second.pk)
    page = look(alice, delivery)
    assert all(f'id="run-{run.pk}"' in page for run in (first, second, beside))
    assert "This is an older run" not in page
    assert "This is an older run" in look(alice, delivery, run=str(first.pk))


def test_a_held_ones_first_run_is_found_though_its_id_is_another(hook: Hook, alice: Client) -> None:
    delivery = make_delivery(hook, standing=Standing.ACCEPTED)
    run = make_run(hook.runnable, State.SUCCEEDED, number=0)
    Delivery.objects.filter(pk=delivery.pk).update(run_id=run.pk)
    assert f'id="run-{run.pk}"' in look(alice, delivery)


def test_the_run_of_what_was_held_says_in_whose_place_it_is(shop: Application, hook: Hook, alice: Client) -> None:
    ended = Run.objects.get(pk=make_delivery(hook, State.ABORTED).pk)
    run = make_run(hook.runnable, cause="webhook", number=0, replay_of=ended.pk, kind="delivery", input=ended.input)
    page = alice.get(reverse("runs:run", args=[shop.slug, run.pk])).content.decode()
    assert 'Cause: webhook, in the place of <a id="original"' in page


def test_the_page_looks_again_only_until_all_is_over(shop: Application, hook: Hook, alice: Client) -> None:
    delivery = make_delivery(hook, State.RUNNING)
    answer = alice.get(at(shop, "delivery", delivery.pk))
    assert 'hx-trigger="every 1s"' in answer.content.decode()
    stamp = {"seen": answer.context["page"].stamp}
    assert alice.get(at(shop, "delivery", delivery.pk), stamp).status_code == 204
    with CaptureQueriesContext(connection) as asked:
        alice.get(at(shop, "delivery", delivery.pk), stamp)
    assert not [one["sql"] for one in asked if '"webhooks_delivery"."body"' in one["sql"]]
    Run.objects.filter(pk=delivery.pk).update(state=State.SUCCEEDED)
    again = alice.get(at(shop, "delivery", delivery.pk), stamp)
    assert again.status_code == 200
    assert 'hx-trigger="every 1s"' not in again.content.decode()


def test_the_command_sends_the_same_without_its_secrets(hook: Hook, alice: Client) -> None:
    headers = {"Host": "x", "X-Topic": "it's", "Authorization": "••••••••", "Content-Type": "application/json"}
    page = look(alice, make_delivery(hook, headers=headers, query="a=1", body=b'{"a": "@"}'))
    start = page.index('<pre id="curl" hidden>')
    command = page[start : page.index("</pre>", start)]
    assert f"/hooks/{hook.secret}?a=1" in command
    assert "Authorization: …" in command
    assert "--data-raw" in command
    assert "Host" not in command


def test_who_may_only_look_is_not_told_the_address(shop: Application, hook: Hook) -> None:
    page = look(browser_in(shop, Role.VIEWER), make_delivery(hook, State.FAILED))
    assert hook.secret not in page
    assert 'id="replay"' not in page
    assert "Save as example" not in page


def test_a_body_that_cannot_be_pasted_is_read_from_its_file(hook: Hook, alice: Client) -> None:
    delivery = make_delivery(hook, body=b"\xff")
    assert f"@delivery-{delivery.pk}.bin" in look(alice, delivery)


def test_another_applications_delivery_is_not_there(shop: Application, alice: Client) -> None:
    others = make_delivery(make_hook(make_application("Charlie's")))
    assert alice.get(at(shop, "delivery", others.pk)).status_code == 404


def test_one_is_replayed_from_its_page(shop: Application, hook: Hook, alice: Client) -> None:
    delivery = make_delivery(hook, State.FAILED)
    alice.post(at(shop, "replay-delivery", delivery.pk))
    new = Run.objects.get(cause="replay")
    assert (new.replay_of, new.input) == (delivery.run_id, {"delivery": str(delivery.pk)})


def test_one_that_is_worked_on_is_not_replayed_and_it_is_said(shop: Application, hook: Hook, alice: Client) -> None:
    delivery = make_delivery(hook, State.RUNNING)
    answer = alice.post(at(shop, "replay-delivery", delivery.pk), follow=True)
    assert "being worked on" in answer.content.decode()
    assert not Run.objects.filter(cause="replay").exists()


def test_a_refused_one_is_judged_again(shop: Application, hook: Hook, alice: Client) -> None:
    Hook.objects.filter(pk=hook.pk).update(transform="return null")
    refused = make_delivery(hook, standing=Standing.REFUSED, reason="The token is not ours.")
    assert "Verify again" in look(alice, refused)
    alice.post(at(shop, "verify-delivery", refused.pk))  # by a hook that believes everybody now
    assert Delivery.objects.get(pk=refused.pk).standing == Standing.ACCEPTED


def test_of_one_that_repeats_another_it_is_said_that_nothing_is_done(
    shop: Application, hook: Hook, alice: Client
) -> None:
    Hook.objects.filter(pk=hook.pk).update(transform="return null", repeats="body")
    first, second = (make_delivery(hook, standing=Standing.REFUSED, reason="No.") for _ in range(2))
    alice.post(at(shop, "verify-delivery", first.pk))
    answer = alice.post(at(shop, "verify-delivery", second.pk), follow=True)
    assert "it repeats another one" in answer.content.decode()
    assert str(first.pk) in look(alice, second)


def test_one_is_kept_as_an_example_without_its_credentials(shop: Application, hook: Hook, alice: Client) -> None:
    delivery = make_delivery(hook, headers={"X-Topic": "paid", "Authorization": "x"}, body=b'{"id":7}')
    address = at(shop, "save-as-example", delivery.pk)
    assert "What it is called" in alice.get(address).content.decode()
    answer: Any = alice.post(address, {"name": "order paid"})
    assert answer.url.endswith("/hooks/orders/transform/?example=order+paid")
    example = hook.examples.get()
    assert (example.name, example.headers, json.loads(example.body)) == ("order paid", {"x-topic": "paid"}, {"id": 7})


@pytest.mark.parametrize("name", ["", "taken"])
def test_a_name_that_cannot_be_had_is_asked_again(shop: Application, hook: Hook, alice: Client, name: str) -> None:
    delivery = make_delivery(hook)
    alice.post(at(shop, "save-as-example", delivery.pk), {"name": "taken"})
    answer = alice.post(at(shop, "save-as-example", delivery.pk), {"name": name})
    assert 'role="alert"' in answer.content.decode()
    assert hook.examples.count() == 1


def test_what_is_no_text_is_no_example(shop: Application, hook: Hook, alice: Client) -> None:
    delivery = make_delivery(hook, body=b"\xff")
    answer: Any = alice.get(at(shop, "save-as-example", delivery.pk))
    assert answer.status_code == 302


def test_attempts_are_told_as_the_run_goes_on(hook: Hook, alice: Client) -> None:
    delivery = make_delivery(hook, State.RETRYING)
    run = Run.objects.get(pk=delivery.pk)
    Run.objects.filter(pk=run.pk).update(attempts=1, error="The task has too many runs.", due_at=NOW)
    make_attempt(run, ok=False)
    page = look(alice, delivery)
    assert "The task has too many runs." in page
    assert "It is tried again" in page
