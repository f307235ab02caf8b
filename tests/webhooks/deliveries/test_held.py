"""What comes to a paused hook is held, and acted upon when that is resumed: all of it once, the oldest first."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from badgerjobs.runs import many
from badgerjobs.runs.models import Cause, Run, Runnable, State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tests.factories import NOW, make_application, make_delivery, make_hook
from tests.plans import look_at
from tests.runs.together import behind, together
from webhooks.deliveries import retention
from webhooks.deliveries import services as delivery_services
from webhooks.deliveries.page import DeliveryPage
from webhooks.deliveries.services import hold, release_all_held, release_held, replay_deliveries
from webhooks.models import Act, Delivery, Hook, Standing
from webhooks.services import pause_hook, resume_hook

LATER = NOW + timedelta(hours=1)


def make_held(hook: Hook, count: int = 1) -> list[Delivery]:
    return [make_delivery(hook, standing=Standing.HELD) for _ in range(count)]


def runs() -> list[Any]:
    return list(Run.objects.order_by("id"))


def make_act(delivery: Delivery, run: Run, position: int, state: str) -> Act:
    return Act.objects.create(
        application=delivery.application, runnable_id=delivery.runnable_id, delivery_id=delivery.pk, run_id=run.pk,
        position=position, name=f"a{position}", type="sync", state=state, made_at=NOW,
    )  # fmt: skip


def test_what_is_held_gets_runs_the_oldest_first_in_steps(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_services, "STEP", 2)
    hook = make_hook(shop)
    held = make_held(hook, 5)
    other = make_held(make_hook(shop, "b"))
    assert release_held([hook.runnable_id], now=LATER, most=3) == 3
    assert [run.input["delivery"] for run in runs()] == [str(one.pk) for one in held[:3]]
    assert {(run.cause, run.state, run.replay_of, run.due_at) for run in runs()} == {
        (Cause.WEBHOOK, State.QUEUED, None, LATER)
    }
    assert release_held([hook.runnable_id], now=LATER) == 2
    assert release_held([hook.runnable_id], now=LATER) == 0
    accepted = Delivery.objects.filter(standing=Standing.ACCEPTED)
    assert {one.run_id for one in accepted} == {run.pk for run in runs()}
    assert Delivery.objects.get(standing=Standing.HELD).pk == other[0].pk


def test_nothing_is_let_go_of_a_hook_that_is_off(shop: Application) -> None:
    hook = make_hook(shop, runnable={"enabled": False})
    make_held(hook)
    assert release_held([hook.runnable_id], now=LATER) == 0
    assert release_all_held(now=LATER) == 0


def test_the_tick_lets_go_what_is_held_of_all_that_are_on(shop: Application) -> None:
    on, off = make_hook(shop), make_hook(shop, "off", runnable={"enabled": False})
    make_hook(shop, "nothing-held")
    make_delivery(on, standing=Standing.REFUSED)
    held, stays = make_held(on, 2), make_held(off)
    retention.end()
    assert {run.input["delivery"] for run in runs()} == {str(one.pk) for one in held}
    assert Delivery.objects.get(standing=Standing.HELD).pk == stays[0].pk


def test_what_waits_of_a_hook_that_is_paused_is_held_and_done_once_after_it(
    shop: Application, django_capture_on_commit_callbacks: Any
) -> None:
    hook = make_hook(shop)
    waits, works = make_delivery(hook, State.QUEUED), make_delivery(hook, State.RUNNING)
    is_over = make_delivery(hook, State.ABORTED, received_at=NOW - timedelta(minutes=1))
    pause_hook(hook=hook, by=OPERATOR, now=NOW)
    standings = dict(Delivery.objects.values_list("pk", "standing"))
    assert standings == {waits.pk: "held", works.pk: "accepted", is_over.pk: "accepted"}
    with django_capture_on_commit_callbacks(execute=True):
        resume_hook(hook=hook, by=OPERATOR, now=LATER)
    [run] = Run.objects.filter(state=State.QUEUED)
    assert run.input == {"delivery": str(waits.pk)}
    waits.refresh_from_db()
    assert (waits.standing, waits.run_id) == (Standing.ACCEPTED, run.pk)


def test_what_was_done_before_the_pause_is_not_done_again(
    shop: Application, django_capture_on_commit_callbacks: Any
) -> None:
    hook = make_hook(shop)
    delivery = make_delivery(hook, State.RETRYING)
    old = Run.objects.get()
    Run.objects.update(output={"variables": {"A": "1"}})
    make_act(delivery, old, 0, "done")
    make_act(delivery, old, 1, "failed")
    pause_hook(hook=hook, by=OPERATOR, now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        resume_hook(hook=hook, by=OPERATOR, now=LATER)
    run = Run.objects.get(state=State.QUEUED)
    assert run.output == {"variables": {"A": "1"}}
    assert list(Act.objects.values_list("run_id", "position", "state")) == [
        (run.pk, 0, "done"),
        (run.pk, 1, "failed"),
    ]


def paused_and_resumed(hook: Hook, at: datetime, until: datetime) -> None:
    pause_hook(hook=hook, by=OPERATOR, now=at)
    resume_hook(hook=hook, by=OPERATOR, now=until)
    release_held([hook.runnable_id], now=until)


def test_replays_that_were_held_are_replays_still_and_go_on_at_their_pace(shop: Application) -> None:
    hook = make_hook(shop)
    ids = [make_delivery(hook, State.FAILED).pk for _ in range(3)]
    came = make_delivery(hook, State.QUEUED)
    replay_deliveries(application=shop, delivery_ids=ids, by=OPERATOR, now=NOW, per_minute=1)
    before = list(Run.objects.filter(cause=Cause.REPLAY).order_by("id"))
    paused_and_resumed(hook, NOW + timedelta(seconds=30), LATER)
    *again, first = Run.objects.unfinished().order_by("input__delivery")
    assert [(run.cause, run.replay_of) for run in again] == [(Cause.REPLAY, one.pk) for one in before]
    assert [(run.state, run.due_at - LATER) for run in again] == [
        (State.QUEUED, timedelta(0)),
        (State.SCHEDULED, timedelta(seconds=30)),
        (State.SCHEDULED, timedelta(seconds=90)),
    ]
    assert (first.input, first.cause, first.replay_of) == ({"delivery": str(came.pk)}, Cause.WEBHOOK, came.pk)


@pytest.mark.parametrize("state", [State.QUEUED, State.FAILED], ids=["as it came", "as a replay"])
def test_all_runs_of_what_was_held_twice_stand_on_its_page(shop: Application, state: State) -> None:
    hook = make_hook(shop)
    delivery = make_delivery(hook, state)
    if state == State.FAILED:
        replay_deliveries(application=shop, delivery_ids=[delivery.pk], by=OPERATOR, now=NOW)
    for hour in range(2):
        paused_and_resumed(hook, NOW + timedelta(hours=hour), LATER + timedelta(hours=hour))
    delivery.refresh_from_db()
    page = DeliveryPage(shop, delivery, chosen=None, now=LATER)
    assert {run.pk for run in page.runs} == {run.pk for run in runs()}
    assert len(page.runs) == (4 if state == State.FAILED else 3)


def test_a_replay_does_all_of_it_again(shop: Application) -> None:
    hook = make_hook(shop)
    delivery = make_delivery(hook, State.FAILED)
    make_act(delivery, Run.objects.get(), 0, "done")
    replay_deliveries(application=shop, delivery_ids=[delivery.pk], by=OPERATOR, now=LATER)
    assert Act.objects.get().run_id == delivery.pk
    assert Run.objects.get(cause=Cause.REPLAY).output is None


def test_only_what_was_accepted_is_held(shop: Application) -> None:
    hook = make_hook(shop)
    accepted, none = make_delivery(hook, State.ABORTED), make_delivery(hook, State.ABORTED)
    Delivery.objects.filter(pk=none.pk).update(standing=Standing.STORED)
    assert hold([accepted.pk, none.pk]) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_let_go_at_once_each_delivery_gets_one_run() -> None:
    hook = make_hook(make_application())
    make_held(hook, 40)
    assert sum(together(*[partial(release_held, [hook.runnable_id], now=LATER)] * 3)) == 40
    assert Run.objects.count() == 40


@pytest.mark.django_db(transaction=True)
def test_who_lets_go_while_it_is_being_paused_finds_it_off() -> None:
    hook = make_hook(make_application())
    make_held(hook)

    def pause() -> None:
        with transaction.atomic():
            many.pause_all([hook.runnable_id], now=NOW)

    assert behind(pause, partial(release_held, [hook.runnable_id], now=LATER)) == [0]
    assert Run.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_of_two_who_replay_at_once_each_delivery_is_replayed_once() -> None:
    hook = make_hook(make_application())
    ids = [make_delivery(hook, State.FAILED).pk for _ in range(5)]
    replay = partial(replay_deliveries, application=hook.application, by=OPERATOR, now=LATER)

    def hold_all() -> None:
        list(Delivery.objects.select_for_update())

    assert behind(hold_all, partial(replay, delivery_ids=ids), partial(replay, delivery_ids=ids[::-1])) == [5, 0]
    assert Run.objects.filter(cause=Cause.REPLAY).count() == 5


@pytest.mark.django_db(transaction=True)
def test_who_replays_waits_for_who_deletes_the_hook_and_finds_nothing() -> None:
    hook = make_hook(make_application())
    delivery = make_delivery(hook, State.FAILED)

    def delete() -> None:
        Hook.objects.all().delete()
        Runnable.objects.all().delete()

    replay = partial(replay_deliveries, application=hook.application, by=OPERATOR, now=LATER)
    assert behind(delete, partial(replay, delivery_ids=[delivery.pk])) == [0]
    assert Run.objects.filter(cause=Cause.REPLAY).count() == 0


def test_what_is_held_is_found_by_an_index_whatever_else_came(shop: Application) -> None:
    hooks = [make_hook(shop, f"h{n}") for n in range(3)]
    make_held(hooks[0])
    rows: Any = [
        Delivery(application=shop, runnable=hooks[n % 3].runnable, standing=standing, method="POST", received_at=NOW)
        for n in range(3000)
        for standing in (Standing.REFUSED, Standing.STORED)
    ]
    Delivery.objects.bulk_create(rows)
    look_at(Delivery)
    for sql, args in ((delivery_services._HOLDING, []), (delivery_services._HELD, [hooks[0].runnable_id, 1000])):
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {sql}", args)
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "using unusual_delivery" in plan
        assert "Rows Removed by Filter" not in plan
        assert "standing" in plan.partition("Index Cond")[2]
