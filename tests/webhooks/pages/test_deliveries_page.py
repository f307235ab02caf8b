"""The list of deliveries: what it says of each, what it shows, and replaying many from it."""

import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.models import Application, Role
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_delivery, make_hook
from webhooks.deliveries.counts import last_deliveries
from webhooks.deliveries.rows import rows_of
from webhooks.models import Act, Delivery, Hook, Standing

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


def at(shop: Application, name: str = "deliveries", *args: Any) -> str:
    return reverse(f"webhooks:{name}", args=[shop.slug, *args])


def make_act(delivery: Delivery, position: int = 0, **fields: Any) -> Act:
    given = {"name": "sync", "type": "sync", "target": "refresh", "state": "done", "made_at": NOW, **fields}
    return Act.objects.create(
        application=delivery.application, runnable_id=delivery.runnable_id, delivery_id=delivery.pk,
        run_id=delivery.pk, position=position, **given,
    )  # fmt: skip


def shown(answer: Any) -> list[Any]:
    """The ids of the deliveries that a list has."""
    return [row.delivery.pk for row in answer.context["rows"]]


SAYS = [
    ({"standing": Standing.REFUSED, "reason": "The signature is not ours."}, "refused", "The signature is not ours."),
    ({"standing": Standing.HELD}, "held", "waits until its webhook is resumed"),
    ({"standing": Standing.STORED}, "stored", "only stores what comes"),
    ({"standing": Standing.DUPLICATE}, "duplicate", "the same came before"),
    ({"state": State.FAILED}, "failed", "The transform failed: no."),
    ({"state": State.QUEUED}, "waiting", "not done yet"),
    ({"state": State.SUCCEEDED}, "succeeded", "no action was asked for"),
]


@pytest.mark.parametrize(("fields", "state", "said"), SAYS, ids=[state for _, state, _ in SAYS])
def test_a_row_says_how_its_delivery_stands(
    hook: Hook, alice: Client, fields: dict[str, Any], state: str, said: str
) -> None:
    delivery = make_delivery(hook, **fields)
    if state == "failed":
        Run.objects.filter(pk=delivery.pk).update(error="The transform failed: no.")
    page = alice.get(at(hook.application)).content.decode()
    assert re.search(rf'<span class="state [a-z ]+">{state}</span>', page)
    assert said in page


def test_what_a_transform_filtered_says_why(shop: Application, hook: Hook, alice: Client) -> None:
    delivery = make_delivery(hook, State.SUCCEEDED)
    Run.objects.filter(pk=delivery.pk).update(output={"filtered": "not an update"})
    page = alice.get(at(shop)).content.decode()
    assert '<span class="state succeeded">succeeded</span>' in page
    assert "nothing: “not an update”" in page


@pytest.mark.parametrize("output", [None, {"filtered": "not an update"}], ids=["done", "filtered"])
@pytest.mark.parametrize("state", sorted(set(State.values) - {State.SKIPPED}))
def test_a_row_stands_as_the_strip_and_the_filters_have_it(hook: Hook, state: str, output: Any) -> None:
    delivery = make_delivery(hook, State(state))
    Run.objects.filter(pk=delivery.pk).update(output=output)
    [row] = rows_of(hook.application, [delivery])
    [[mark]] = last_deliveries([hook.runnable_id]).values()
    runs, found = Run.objects.filter(application=hook.application), Delivery.objects.for_application(hook.application)
    assert row.state == mark.state
    assert found.in_states([row.state], runs).get() == delivery


def test_a_row_names_what_failed_before_what_was_done(hook: Hook) -> None:
    delivery = make_delivery(hook, State.SUCCEEDED)
    for position, (name, state) in enumerate([("a", "done"), ("b", "done"), ("c", "failed")]):
        make_act(delivery, position, name=name, state=state)
    [row] = rows_of(hook.application, [delivery])
    assert [act.name for act in row.named] == ["c", "a"]
    assert row.more == 1


def test_the_first_of_a_repeat_is_a_link_as_long_as_it_is_kept(shop: Application, hook: Hook, alice: Client) -> None:
    first = make_delivery(hook)
    make_delivery(hook, standing=Standing.DUPLICATE, duplicate_of=first.pk)
    link = ">the first</a>"
    assert link in alice.get(at(shop)).content.decode()
    Delivery.objects.filter(pk=first.pk).delete()
    page = alice.get(at(shop)).content.decode()
    assert "the same came before" in page
    assert link not in page


def test_a_list_costs_the_same_however_long_it_is(
    hook: Hook, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    deliveries = [make_delivery(hook, State.SUCCEEDED) for _ in range(5)]
    for delivery in deliveries:
        make_act(delivery)
    with django_assert_num_queries(3):
        rows = rows_of(hook.application, deliveries)
        assert [(row.state, row.said, len(row.named)) for row in rows] == [("succeeded", "", 1)] * 5


def test_another_applications_deliveries_are_not_in_the_list(shop: Application, hook: Hook, alice: Client) -> None:
    ours = make_delivery(hook)
    make_delivery(make_hook(make_application("Charlie's")))
    assert shown(alice.get(at(shop))) == [ours.pk]


FILTERS = [
    ({"state": "dead"}, {"failed", "aborted"}),
    ({"state": "failed"}, {"failed"}),
    ({"state": "failed,aborted"}, {"failed", "aborted"}),
    ({"state": "refused, failed"}, {"failed", "refused"}),
    ({"state": "waiting"}, {"waiting"}),
    ({"state": "refused"}, {"refused"}),
    ({"state": "succeeded"}, {"succeeded"}),
    ({"q": "evt_refused"}, {"refused"}),
    ({"hook": "orders", "state": "dead"}, {"failed", "aborted"}),
    ({"hook": "others"}, set()),
    ({"since": "2026-03-02T11:59:00+00:00", "until": "2026-03-02T12:01:00+00:00"}, {"stored"}),
    ({}, {"failed", "aborted", "waiting", "refused", "succeeded", "stored"}),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS, ids=lambda one: "-".join(sorted(one)) or "none")
def test_the_address_narrows_the_list(
    shop: Application, hook: Hook, alice: Client, query: dict[str, str], expected: set[str]
) -> None:
    for state in ("failed", "aborted", "queued", "running", "succeeded"):
        make_delivery(hook, State(state), event_id=f"evt_{state}")
    make_delivery(hook, standing=Standing.REFUSED, event_id="evt_refused")
    make_delivery(hook, id=uuid7_floor(NOW + timedelta(seconds=1)))
    make_hook(shop, "others")
    answer = alice.get(at(shop), query)
    assert {row.state for row in answer.context["rows"]} == expected


def test_several_states_are_told_and_those_of_dead_letters_are_these(shop: Application, alice: Client) -> None:
    assert "<h1>Dead letters</h1>" in alice.get(at(shop), {"state": "aborted,failed"}).content.decode()
    answer = alice.get(at(shop), {"state": "refused,failed"})
    filters = answer.context["filters"]
    [field, _] = filters.fields({})
    assert (field.chosen, field.choices[-1]) == ("failed,refused", ("failed,refused", "failed, refused"))
    assert list(filters.chips()) == [("state", "failed, refused", "?")]


def test_a_delivery_is_found_by_its_id(shop: Application, hook: Hook, alice: Client) -> None:
    one, _ = make_delivery(hook), make_delivery(hook)
    assert shown(alice.get(at(shop), {"q": str(one.pk)})) == [one.pk]


def test_the_empty_fields_of_the_form_are_no_part_of_a_link(shop: Application, alice: Client) -> None:
    answer: Any = alice.get(at(shop), {"q": "", "state": "dead", "hook": ""})
    assert answer.url == f"{at(shop)}?state=dead"


def test_dead_letters_are_a_link_to_what_could_not_be_done(shop: Application, alice: Client) -> None:
    answer: Any = alice.get(at(shop, "dead-letters"))
    assert answer.url == f"{at(shop)}?state=dead"


def test_dead_letters_keep_what_else_the_address_says(shop: Application, alice: Client) -> None:
    answer: Any = alice.get(at(shop, "dead-letters"), {"hook": "orders", "state": "succeeded"})
    assert answer.url == f"{at(shop)}?hook=orders&state=dead"


def test_a_list_that_has_nothing_else_to_say_is_not_sent_again(shop: Application, hook: Hook, alice: Client) -> None:
    delivery = make_delivery(hook, State.RUNNING)
    seen = alice.get(at(shop)).context["stamp"]
    assert alice.get(at(shop), {"seen": seen}).status_code == 204
    Run.objects.filter(pk=delivery.pk).update(state=State.SUCCEEDED)
    assert alice.get(at(shop), {"seen": seen}).status_code == 200


def replays(hook: Hook) -> int:
    return Run.objects.filter(runnable=hook.runnable, cause="replay").count()


def asked(answer: Any) -> dict[str, Any]:
    """What the form of a question sends, when somebody says yes."""
    return {name: values[0] for name, values in answer.context["hidden"].items()}


def test_the_ticked_ones_are_replayed_after_it_was_asked(shop: Application, hook: Hook, alice: Client) -> None:
    done, failed, going = (make_delivery(hook, state) for state in (State.SUCCEEDED, State.FAILED, State.RUNNING))
    address = f"{at(shop, 'replay-deliveries')}?delivery={done.pk}&delivery={failed.pk}&delivery={going.pk}&delivery=no"
    question = alice.get(address)
    assert "Replay 2 deliveries?" in question.content.decode()
    assert replays(hook) == 0
    alice.post(address, asked(question))
    assert replays(hook) == 2


def test_all_that_match_are_the_dead_letters_unless_a_state_is_named(
    shop: Application, hook: Hook, alice: Client
) -> None:
    for state in (State.SUCCEEDED, State.FAILED, State.ABORTED):
        make_delivery(hook, state)
    for query, count in (("all=1", 2), ("all=1&state=succeeded", 1), ("all=1&state=failed", 1)):
        question = alice.get(f"{at(shop, 'replay-deliveries')}?{query}")
        assert question.context["hidden"]["asked"] == [str(count)]


@pytest.mark.parametrize(
    ("query", "fields", "offered"),
    [
        ({}, {"standing": Standing.STORED}, False),
        ({}, {"state": State.SUCCEEDED}, False),
        ({}, {"state": State.ABORTED}, True),
        ({"state": "stored"}, {"standing": Standing.STORED}, True),
        ({"state": "refused"}, {"standing": Standing.REFUSED}, False),
    ],
    ids=["stored", "succeeded", "aborted", "those stored", "those refused"],
)
def test_a_replay_of_all_is_offered_where_there_is_something_to_replay(
    hook: Hook, alice: Client, query: dict[str, str], fields: dict[str, Any], offered: bool
) -> None:
    make_delivery(hook, **fields)
    page = alice.get(at(hook.application, "deliveries"), query).content.decode()
    assert ('id="replay-all"' in page) is offered


def test_who_asks_for_all_that_failed_where_nothing_did_is_told_so(
    shop: Application, hook: Hook, alice: Client
) -> None:
    make_delivery(hook, standing=Standing.STORED)
    answer = alice.get(f"{at(shop, 'replay-deliveries')}?all=1", follow=True)
    assert "None of these failed" in answer.content.decode()


def test_a_yes_is_no_yes_to_what_failed_since(shop: Application, hook: Hook, alice: Client) -> None:
    make_delivery(hook, State.FAILED)
    address = f"{at(shop, 'replay-deliveries')}?all=1&state=dead"
    yes = asked(alice.get(address))
    make_delivery(hook, State.FAILED)
    alice.post(address, yes)
    assert replays(hook) == 1


def test_a_yes_without_a_span_is_asked_again(shop: Application, hook: Hook, alice: Client) -> None:
    make_delivery(hook, State.FAILED)
    answer = alice.post(f"{at(shop, 'replay-deliveries')}?all=1&state=dead", {"asked": "1"})
    assert "Replay 1 delivery?" in answer.content.decode()
    assert replays(hook) == 0


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday", "state=nonsense", "until=32",
        "since=0001-01-01T00:00:00%2B14:00", "until=9999-12-31T23:59:59-14:00",
    ],
    ids=["no time", "no state", "a number", "before all time", "after all time"],
)  # fmt: skip
def test_what_cannot_be_read_widens_nothing(shop: Application, hook: Hook, alice: Client, query: str) -> None:
    make_delivery(hook, State.FAILED)
    answer: Any = alice.get(f"{at(shop, 'replay-deliveries')}?all=1&{query}")
    assert answer.status_code == 302
    assert "cannot be read" in alice.get(f"{at(shop)}?{query}").content.decode()


def test_replays_are_spread_as_it_is_said(shop: Application, hook: Hook, alice: Client) -> None:
    for _ in range(3):
        make_delivery(hook, State.FAILED)
    address = f"{at(shop, 'replay-deliveries')}?all=1&state=dead"
    alice.post(address, {**asked(alice.get(address)), "per_minute": "6"})
    due = sorted(Run.objects.filter(cause="replay").values_list("due_at", flat=True))
    assert [(later - sooner).total_seconds() for sooner, later in pairwise(due)] == [10, 10]


def test_who_may_only_look_is_offered_nothing_else(shop: Application, hook: Hook) -> None:
    make_delivery(hook, State.FAILED)
    bob = browser_in(shop, Role.VIEWER)
    page = bob.get(at(shop)).content.decode()
    assert "pick-all" not in page
    assert "Replay" not in page
