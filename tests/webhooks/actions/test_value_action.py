"""A hook that sets the value of a cache key: which key, which value, and which of two stays."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs.models import State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tasks.models import CachedValue, CacheKey
from tests.factories import NOW, make_application, make_delivery, make_hook, make_key, make_run, make_source
from tests.webhooks.actions.doings import BODY, again, doing, done, no_body, said
from webhooks.actions import MISSING, Doing
from webhooks.deliveries.services import release_held, replay_deliveries
from webhooks.models import ActState, Delivery, Hook, Standing
from webhooks.services import pause_hook, resume_hook

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(shop: Application) -> CacheKey:
    return make_key(make_source(shop))


def body_of(key: CacheKey) -> Any:
    body = CachedValue.objects.get(key=key).body
    return None if body is None else json.loads(body)


def test_the_value_of_the_transform_is_set(shop: Application, key: CacheKey) -> None:
    [did] = done("value", doing(shop, {"key": "product-{{PRODUCT_ID}}"}, {"PRODUCT_ID": "1"}, {"price": 7, "é": "ü"}))

    assert said(did) == (ActState.DONE, "Set “product-1”: 21 bytes.", True)
    assert did.caused is None
    assert CachedValue.objects.get(key=key).body == '{"price":7,"é":"ü"}'


@pytest.mark.parametrize(("value", "stored"), [(MISSING, BODY), (None, None), (False, False), ("", "")])
def test_without_one_the_body_is_set(shop: Application, key: CacheKey, value: Any, stored: Any) -> None:
    assert done("value", doing(shop, {"key": "product-1"}, value=value))[0].state == ActState.DONE
    assert CachedValue.objects.get(key=key).body is not None
    assert body_of(key) == stored


@pytest.mark.parametrize(
    ("name", "variables", "value", "sentence"),
    [
        ("product-{{ID}}", {}, 1, "ID is not among the variables: there are none."),
        ("product-{{ID}}", {"ID": " "}, 1, "ID is empty: without it, the name would be another key's."),
        ("product-{{ID}}", {"ID": "\x00"}, 1, "ID holds characters that no name has"),
        ("product-{{ID}}", {"ID": "x" * 400}, 1, f"“product-{'x' * 92}…” is the name of no key: one has 1 to 400"),
        ("product-1", {}, "x" * 1_000_000, "The value has 1,000,002 bytes as JSON: a key may hold 1,000,000."),
        ("product-1", {}, MISSING, "The body is no JSON."),
        ("product-2", {}, 1, "There is no key “product-2”: make it, and replay the delivery."),
    ],
    ids=["missing", "empty", "unstorable", "long", "large", "unread", "no key"],
)
def test_what_cannot_be_set_fails_for_good_and_keeps_no_other_from_being_set(
    key: CacheKey, name: str, variables: dict[str, str], value: Any, sentence: str
) -> None:
    shop = key.application

    wrong, right = done(
        "value",
        doing(shop, {"key": name}, variables, value, no_body),
        doing(shop, {"key": "product-1"}, value="set"),
    )

    assert (wrong.state, wrong.again, wrong.said[: len(sentence)]) == (ActState.FAILED, False, sentence)
    assert (right.state, body_of(key)) == (ActState.DONE, "set")


def test_another_tenants_key_is_not_set(shop: Application) -> None:
    theirs = make_key(make_source(make_application("Charlie's")))

    [did] = done("value", doing(shop, {"key": "product-1"}, value=1))

    assert (did.state, body_of(theirs)) == (ActState.FAILED, None)


def test_what_came_later_stays_in_whichever_order_they_are_set(shop: Application, key: CacheKey) -> None:
    hook = make_hook(shop)
    first = make_delivery(hook, State.RUNNING, received_at=NOW)
    second = make_delivery(hook, State.RUNNING, received_at=NOW + timedelta(seconds=1))
    of_first, of_second = (
        replace(doing(shop, {"key": "product-1"}, value=value), delivery_id=one.pk, run_id=one.pk)
        for one, value in ((first, "first"), (second, "second"))
    )

    assert done("value", of_second)[0].state == ActState.DONE
    [did] = done("value", of_first)

    assert said(did) == (ActState.SKIPPED, "A newer value is under “product-1” already: it stays.", True)
    assert body_of(key) == "second"


def test_a_replay_sets_it_once_more(shop: Application, key: CacheKey) -> None:
    hook = make_hook(shop)
    delivery = make_delivery(hook, State.SUCCEEDED, received_at=NOW)
    replay = make_run(hook.runnable, State.RUNNING, created_at=NOW + timedelta(hours=1))
    CachedValue.objects.filter(key=key).update(started_at=NOW + timedelta(minutes=1))
    before = replace(doing(shop, {"key": "product-1"}, value="set"), delivery_id=delivery.pk, run_id=delivery.pk)

    assert done("value", before)[0].state == ActState.SKIPPED
    [did] = done("value", replace(again(before), run_id=replay.pk))

    assert (did.state, body_of(key)) == (ActState.DONE, "set")


def performed(hook: Hook) -> list[Doing]:
    """The newest runs of what came to it, the oldest first, each setting its own place as the value."""
    its = Delivery.objects.filter(runnable_id=hook.runnable_id).order_by("pk")
    return [
        replace(doing(hook.application, {"key": "product-1"}, value=n), delivery_id=one.pk, run_id=one.run_id)
        for n, one in enumerate(its)
        if one.run_id
    ]


def test_what_was_held_is_as_old_as_when_it_came(shop: Application, key: CacheKey) -> None:
    hook = make_hook(shop)
    for n in range(2):
        make_delivery(hook, standing=Standing.HELD, received_at=NOW + timedelta(minutes=n))
    release_held([hook.runnable_id], now=NOW + timedelta(hours=1))
    older, newer = performed(hook)

    assert [done("value", one)[0].state for one in (newer, older)] == [ActState.DONE, ActState.SKIPPED]
    assert body_of(key) == 1

    CachedValue.objects.filter(key=key).update(started_at=NOW + timedelta(minutes=30), body='"fetched"')
    assert done("value", newer)[0].state == ActState.SKIPPED
    assert body_of(key) == "fetched"


def test_a_replay_that_was_held_is_as_old_as_when_it_was_asked_for(shop: Application, key: CacheKey) -> None:
    hook = make_hook(shop)
    ids = [make_delivery(hook, State.FAILED, received_at=NOW).pk for _ in range(2)]
    replay_deliveries(application=shop, delivery_ids=ids, by=OPERATOR, now=NOW + timedelta(hours=1))
    for now in (NOW + timedelta(hours=hours) for hours in (2, 3)):
        pause_hook(hook=hook, by=OPERATOR, now=now)
        resume_hook(hook=hook, by=OPERATOR, now=now)
        release_held([hook.runnable_id], now=now)
    first, second = performed(hook)

    CachedValue.objects.filter(key=key).update(started_at=NOW + timedelta(minutes=30))
    assert [done("value", one)[0].state for one in (second, first)] == [ActState.DONE, ActState.SKIPPED]
    CachedValue.objects.filter(key=key).update(started_at=NOW + timedelta(minutes=90), body='"fetched"')
    assert done("value", second)[0].state == ActState.SKIPPED
    assert body_of(key) == "fetched"


def test_of_what_is_replayed_at_once_the_one_that_came_last_stays(shop: Application, key: CacheKey) -> None:
    hook = make_hook(shop)
    ids = [make_delivery(hook, State.FAILED).pk for _ in range(3)]
    replay_deliveries(application=shop, delivery_ids=ids, by=OPERATOR, now=NOW + timedelta(hours=1))
    first, second, third = performed(hook)

    dids = [done("value", one)[0].state for one in (second, third, first)]

    assert dids == [ActState.DONE, ActState.DONE, ActState.SKIPPED]
    assert body_of(key) == 2


def test_of_several_in_one_go_the_newest_stays_and_of_one_run_the_last(shop: Application, key: CacheKey) -> None:
    hook = make_hook(shop)
    late, early = (make_delivery(hook, State.RUNNING, received_at=NOW + timedelta(seconds=n)) for n in (1, 0))
    wanted = [
        replace(doing(shop, {"key": "product-1"}, value=value), delivery_id=one.pk, run_id=one.pk)
        for one, value in ((late, "late"), (late, "late, last"), (early, "early"))
    ]

    dids = done("value", *wanted)

    assert body_of(key) == "late, last"
    assert [did.state for did in dids] == [ActState.SKIPPED, ActState.DONE, ActState.SKIPPED]


def test_a_hundred_cost_as_many_statements_as_one(shop: Application, key: CacheKey) -> None:
    for n in range(2, 101):
        make_key(key.source, f"product-{n}")
    counted = []
    for count in (1, 100):
        with CaptureQueriesContext(connection) as queries:
            done("value", *(doing(shop, {"key": f"product-{n + 1}"}, value=n) for n in range(count)))
        counted.append(len(queries))
    assert counted[0] == counted[1]
    assert not CachedValue.objects.filter(body=None).exists()
