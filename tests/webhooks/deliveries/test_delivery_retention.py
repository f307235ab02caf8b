"""How long what came is kept, and what becomes of it when its hook is gone."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from badgerjobs.lib.ids import uuid7, uuid7_floor
from badgerjobs.runs import remains, retention, services
from badgerjobs.runs.models import FINAL, Gone, Run, State
from badgerjobs.workspaces.models import Application
from tests.factories import NOW, make_delivery, make_hook, make_run
from tests.plans import look_at
from webhooks.deliveries import retention as ours
from webhooks.models import Act, Delivery, Hook, Seen, Standing
from webhooks.serializers import MOST_WINDOW_S

KEPT = timedelta(days=30)
DAY = timedelta(days=1)


@pytest.fixture
def hook(shop: Application) -> Hook:
    return make_hook(shop)


def make_old(hook: Hook, state: State | None = State.SUCCEEDED, age: timedelta = KEPT + DAY, **fields: Any) -> Delivery:
    """One that came so long ago, with an act."""
    made = NOW - age
    its_id = UUID(int=uuid7_floor(made).int | (uuid7().int & ((1 << 62) - 1)))
    delivery = make_delivery(hook, state, id=its_id, received_at=made, **fields)
    make_act(delivery)
    return delivery


def make_act(delivery: Delivery) -> None:
    Act.objects.create(
        application=delivery.application, runnable_id=delivery.runnable_id, delivery_id=delivery.pk, run_id=uuid7(),
        position=0, name="a", type="sync", state="done", made_at=NOW,
    )  # fmt: skip


def make_seen(hook: Hook, age: timedelta) -> None:
    Seen.objects.create(runnable_id=hook.runnable_id, digest=f"{age}".ljust(64), delivery_id=uuid7(), seen_at=NOW - age)


def left() -> list[Any]:
    assert Delivery.objects.count() == Act.objects.count()
    return sorted(Delivery.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("state", State)
def test_what_is_old_and_over_goes_with_what_it_did(hook: Hook, state: State) -> None:
    old, young = make_old(hook, state), make_old(hook, age=KEPT - DAY)
    retention.prune(now=NOW)
    assert left() == [young.pk] if state in FINAL else [old.pk, young.pk]


@pytest.mark.parametrize("standing", [one for one in Standing if one != Standing.ACCEPTED])
def test_what_never_had_a_run_goes_too_unless_it_is_held(hook: Hook, standing: Standing) -> None:
    hook.runnable.enabled = False
    hook.runnable.save()
    old = make_old(hook, None, standing=standing)
    retention.prune(now=NOW)
    assert left() == ([old.pk] if standing == Standing.HELD else [])


def test_what_was_replayed_stays_while_that_goes_on(hook: Hook) -> None:
    old = make_old(hook)
    run = make_run(hook.runnable, State.RUNNING)
    Delivery.objects.update(run_id=run.pk)
    retention.prune(now=NOW)
    assert left() == [old.pk]


@pytest.mark.parametrize(("age", "count"), [(KEPT - timedelta(seconds=1), 1), (KEPT + timedelta(seconds=1), 0)])
def test_it_is_kept_to_the_second_and_as_the_application_says(hook: Hook, age: timedelta, count: int) -> None:
    make_old(hook, age=age)
    retention.prune(now=NOW)
    assert len(left()) == count
    Application.objects.update(retention_days=1)
    retention.prune(now=NOW)
    assert left() == []


def test_it_goes_in_batches_until_nothing_old_is_left(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    for _ in range(8):
        make_old(hook)
    young = make_old(hook, age=DAY)
    retention.prune(now=NOW)
    assert left() == [young.pk]


def test_what_is_known_again_is_remembered_longer_than_any_hook_looks_back(hook: Hook) -> None:
    assert ours.SEEN_DAYS * 86_400 > MOST_WINDOW_S
    make_seen(hook, timedelta(days=7, hours=23))
    make_seen(hook, timedelta(days=8, seconds=1))
    retention.prune(now=NOW)
    assert Seen.objects.get().seen_at == NOW - timedelta(days=7, hours=23)


def test_what_came_to_a_deleted_hook_goes_by_and_by(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remains, "BATCH", 3)
    for _ in range(8):
        make_old(hook, age=DAY)
    stays = make_old(make_hook(hook.application, "b"), age=DAY)
    hook.delete()
    services.delete_runnables([hook.runnable_id])
    retention.prune(now=NOW)
    assert left() == [stays.pk]
    assert (Gone.objects.count(), Run.objects.count()) == (0, 1)


def test_a_deleted_application_leaves_nothing(hook: Hook) -> None:
    for _ in range(3):
        make_old(hook, age=DAY)
    services.delete_application(application=hook.application)
    retention.prune(now=NOW)
    assert (left(), Gone.objects.count()) == ([], 0)


def test_old_ones_are_found_by_an_index_among_all_that_is_kept(hook: Hook) -> None:
    rows: Any = [
        Delivery(
            application=hook.application, runnable=hook.runnable, standing="stored", method="POST", received_at=NOW
        )
        for _ in range(3000)
    ]
    Delivery.objects.bulk_create(rows)
    make_old(hook)
    look_at(Delivery)
    given: Any = {
        "applications": [hook.application.pk],
        "befores": [uuid7_floor(NOW - KEPT)],
        "cutoffs": [NOW - KEPT],
        "each": 10,
    }
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (COSTS OFF) {ours._FORGET}", given)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "using delivery_of_application" in plan
