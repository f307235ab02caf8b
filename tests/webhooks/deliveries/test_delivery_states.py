"""How deliveries stand: found by it, counted by it, and drawn in strips, in a few statements whatever came before."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.lib.ids import uuid7, uuid7_floor
from badgerjobs.runs.models import Run, Runnable, State
from badgerjobs.workspaces.models import Application
from tests.callers import caller_for
from tests.factories import NOW, make_application, make_delivery, make_hook
from tests.plans import look_at, plan_of
from tests.runs.staging import queue
from webhooks import querysets
from webhooks.deliveries.choosing import ids_to_replay
from webhooks.deliveries.counts import counts, last_deliveries
from webhooks.deliveries.filters import DeliveryFilters
from webhooks.models import Delivery, Hook, Standing
from webhooks.querysets import DEAD, DECIDED, STATES, state_of

# Each of STATES → how a delivery comes to it.
RUN_STATES = {
    "waiting": [State.QUEUED, State.SCHEDULED, State.RUNNING, State.RETRYING],
    "succeeded": [State.SUCCEEDED],
    "failed": [State.FAILED],
    "aborted": [State.ABORTED],
}


@pytest.fixture
def hook(shop: Application) -> Hook:
    return make_hook(shop)


def make_one_of_each(hook: Hook) -> dict[str, list[Delivery]]:
    """State → the deliveries of this hook that stand so."""
    made = {state: [make_delivery(hook, one) for one in states] for state, states in RUN_STATES.items()}
    return made | {one: [make_delivery(hook, standing=Standing(one))] for one in DECIDED}


def in_states(hook: Hook, *states: str) -> list[Any]:
    found = Delivery.objects.for_application(hook.application).in_states(states, Run.objects.all())
    return list(found.order_by("pk").values_list("pk", flat=True))


def fill(hook: Hook, standing: Standing, count: int) -> None:
    rows: list[Any] = [
        Delivery(
            application=hook.application, runnable=hook.runnable, standing=standing, method="POST", received_at=NOW
        )
        for _ in range(count)
    ]
    Delivery.objects.bulk_create(rows)


def test_every_state_finds_its_own_and_no_other(hook: Hook) -> None:
    made = make_one_of_each(hook)
    assert set(made) == set(STATES)
    for state, deliveries in made.items():
        assert in_states(hook, state) == [one.pk for one in deliveries], state
    assert in_states(hook, *STATES) == sorted(one.pk for deliveries in made.values() for one in deliveries)
    both = [*made["failed"], *made["aborted"]]
    assert in_states(hook, *DEAD) == [one.pk for one in both]
    assert in_states(hook, "waiting", "failed") == [one.pk for one in [*made["waiting"], *made["failed"]]]
    assert in_states(hook) == []


def test_what_each_says_of_itself_is_where_it_is_found(hook: Hook) -> None:
    made = make_one_of_each(hook)
    rows: Any = Delivery.objects.for_application(hook.application).with_state()
    told = {row.pk: state_of(row.standing, row.run_state) for row in rows}
    assert told == {one.pk: state for state, deliveries in made.items() for one in deliveries}


def test_what_lost_its_run_succeeded(hook: Hook) -> None:
    delivery = make_delivery(hook, State.FAILED)
    Run.objects.all().delete()
    assert in_states(hook, "succeeded") == [delivery.pk]
    assert counts(hook.runnable_id) == {"succeeded": 1}


def test_a_held_delivery_is_held_whatever_became_of_its_run(hook: Hook) -> None:
    delivery = make_delivery(hook, State.ABORTED)
    Delivery.objects.update(standing=Standing.HELD)
    assert in_states(hook, "held") == [delivery.pk]
    assert in_states(hook, "aborted") == []
    assert counts(hook.runnable_id) == {"held": 1}


def test_those_of_others_and_of_deleted_hooks_are_not_found(hook: Hook) -> None:
    make_delivery(make_hook(make_application("Charlie's")), State.FAILED)
    gone = make_hook(hook.application, "gone")
    make_delivery(gone, State.FAILED)
    Runnable.objects.filter(pk=gone.runnable_id).delete()
    mine = make_delivery(hook, State.FAILED)
    assert list(Delivery.objects.for_application(hook.application)) == [mine]
    assert in_states(hook, "failed") == [mine.pk]


def test_they_are_found_by_when_they_came(hook: Hook) -> None:
    old, new = (make_delivery(hook, id=uuid7_floor(NOW + timedelta(days=day))) for day in (0, 2))
    found = Delivery.objects.for_application(hook.application)
    middle, before = NOW + timedelta(days=1), NOW - timedelta(days=1)
    assert list(found.received(since=middle)) == [new]
    assert list(found.received(until=middle)) == [old]
    assert list(found.received(since=before, until=NOW)) == []
    assert list(found.received(since=NOW - timedelta(days=365 * 200)).order_by("pk")) == [old, new]


def test_an_event_is_looked_for_among_the_newest_that_match_else(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(querysets, "SEARCHED", 2)
    at = [uuid7_floor(NOW + timedelta(days=day)) for day in range(4)]
    old = make_delivery(hook, State.FAILED, id=at[0], event_id="evt_1")
    for its_id in at[1:3]:
        make_delivery(hook, id=its_id)
    new = make_delivery(hook, State.FAILED, id=at[3], event_id="evt_1")
    found = Delivery.objects.for_application(hook.application)
    until = (NOW + timedelta(days=1)).isoformat()

    def panel(**given: str) -> list[Delivery]:
        return list(DeliveryFilters.read({"q": "evt_1", **given}).narrow(found, hook.application).order_by("-pk"))

    assert panel() == [new]
    assert panel(until=until) == [old]
    assert panel(state="dead") == [new, old]
    caller = caller_for(hook.application)
    for query, told in (("", [new]), ("&until=2026-03-03T00:00:00Z", [old]), ("&state=failed", [new, old])):
        rows = caller.get(f"/deliveries/?event_id=evt_1{query}").body["results"]
        assert [row["id"] for row in rows] == [str(one.pk) for one in told], query
    assert ids_to_replay(hook.application, {"event_id": "evt_1", "state": ["failed", "stored"]}) == [new.pk]
    assert ids_to_replay(hook.application, {"event_id": "evt_1"}) == [new.pk, old.pk]


@pytest.mark.parametrize(("state", "index"), [("failed", "ended_badly"), ("waiting", "run_queued")])
def test_what_is_rare_is_found_by_its_runs_and_not_among_all_that_came(hook: Hook, state: str, index: str) -> None:
    make_delivery(hook, RUN_STATES[state][0])
    for _ in range(200):
        make_delivery(hook, State.SUCCEEDED)
    queue(hook.runnable, 3000, state=State.SUCCEEDED)
    fill(hook, Standing.STORED, 3000)
    for model in (Run, Runnable):  # what other tests left in their statistics is none of these
        look_at(model)
    found = Delivery.objects.for_application(hook.application)
    runs = Run.objects.filter(application=hook.application)
    plan = plan_of(found.in_states([state], runs).order_by("-pk")[:100])
    assert "delivery_of_run" in plan
    if state == "failed":  # what waits is few: which of its indexes is taken does not matter
        assert index in plan


@pytest.mark.parametrize("state", ["held", "duplicate", "refused"])
def test_of_a_hook_what_was_decided_is_found_by_an_index(hook: Hook, state: str) -> None:
    fill(hook, Standing.STORED, 3000)
    make_delivery(hook, standing=Standing(state))
    found = Delivery.objects.for_application(hook.application).of(hook)
    assert "unusual_delivery" in plan_of(found.in_states([state], Run.objects.all()).order_by("-pk")[:100])


def test_a_strip_has_the_last_ones_of_each_hook_the_oldest_first(hook: Hook, django_assert_num_queries: Any) -> None:
    other, none = make_hook(hook.application, "b"), make_hook(hook.application, "c")
    mine = [make_delivery(hook, State.SUCCEEDED), make_delivery(hook, State.FAILED), make_delivery(hook)]
    theirs = make_delivery(other, State.RUNNING)
    with django_assert_num_queries(1):
        strips = last_deliveries([hook.runnable_id, other.runnable_id, none.runnable_id], most=2)
    assert [(mark.id, mark.state) for mark in strips[hook.runnable_id]] == [
        (mine[1].pk, "failed"),
        (mine[2].pk, "stored"),
    ]
    assert [(mark.id, mark.state, mark.received_at) for mark in strips[other.runnable_id]] == [
        (theirs.pk, "waiting", NOW)
    ]
    assert none.runnable_id not in strips


def test_the_newest_are_counted_by_how_they_stand(hook: Hook, django_assert_num_queries: Any) -> None:
    made = make_one_of_each(hook)
    make_delivery(make_hook(hook.application, "b"), State.FAILED)
    with django_assert_num_queries(1):
        assert counts(hook.runnable_id) == {state: len(deliveries) for state, deliveries in made.items()}
    make_delivery(hook, State.FAILED, id=uuid7())
    assert counts(hook.runnable_id, most=1) == {"failed": 1}
