"""A run of a delivery that is replayed where runs are: it is the same as if its delivery were replayed."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs import lifecycle, making
from badgerjobs.runs import services as run_services
from badgerjobs.runs.models import Cause, Run, Runnable, State
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, AuditEntry
from tests.factories import NOW, make_delivery, make_hook, make_job, make_run
from webhooks import services
from webhooks.deliveries.services import GOES_ON, GONE, WHY_NOT, release_held, replay_delivery
from webhooks.models import Delivery, Hook, Standing

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def hook(shop: Application) -> Hook:
    return make_hook(shop, "orders", runnable={"runs_made": 7})


def replay(delivery: Delivery) -> Run:
    return run_services.replay_run(run=Run.objects.get(pk=delivery.pk), by=OPERATOR, now=LATER)


def test_a_replayed_run_is_the_newest_of_its_delivery_and_has_no_number(hook: Hook) -> None:
    delivery = make_delivery(hook, State.FAILED)
    new = replay(delivery)
    delivery.refresh_from_db()
    assert (new.replay_of, new.cause, new.number, new.state) == (delivery.pk, Cause.REPLAY, 0, State.QUEUED)
    assert (new.input, delivery.run_id) == ({"delivery": str(delivery.pk)}, new.pk)
    assert Runnable.objects.get().runs_made == 7
    assert AuditEntry.objects.get().action == "run.replay"


def test_a_replayed_run_that_waits_is_held_by_a_pause_and_let_go(hook: Hook) -> None:
    delivery = make_delivery(hook, State.FAILED)
    new = replay(delivery)
    services.pause_hook(hook=hook, by=OPERATOR, now=LATER)
    delivery.refresh_from_db()
    assert (delivery.standing, Run.objects.get(pk=new.pk).state) == (Standing.HELD, State.ABORTED)
    services.resume_hook(hook=hook, by=OPERATOR, now=LATER)
    release_held([hook.runnable_id], now=LATER)
    [run] = Run.objects.unfinished()
    delivery.refresh_from_db()
    asked_at = new.created_at.isoformat()
    assert (run.pk, run.replay_of) == (delivery.run_id, new.pk)
    assert run.input == {"delivery": str(delivery.pk), "asked_at": asked_at}


def test_replayed_as_a_run_and_as_a_delivery_it_runs_once(hook: Hook) -> None:
    delivery = make_delivery(hook, State.FAILED)
    new = replay(delivery)
    with pytest.raises(Conflict, match=GOES_ON):
        replay(delivery)
    with pytest.raises(Conflict, match=GOES_ON):
        replay_delivery(delivery=delivery, by=OPERATOR, now=LATER)
    assert list(Run.objects.unfinished()) == [new]
    Run.objects.filter(pk=new.pk).update(state=State.FAILED)
    assert replay(delivery).replay_of == delivery.pk


@pytest.mark.parametrize("standing", WHY_NOT)
def test_a_run_of_what_is_not_replayed_says_what_to_do(hook: Hook, standing: Standing) -> None:
    delivery = make_delivery(hook, State.ABORTED)
    Delivery.objects.update(standing=standing)
    with pytest.raises(Conflict, match=WHY_NOT[standing]):
        replay(delivery)
    assert Run.objects.count() == 1


def test_a_run_whose_delivery_or_hook_is_gone_is_not_replayed(hook: Hook) -> None:
    swept, of_no_hook = make_delivery(hook, State.FAILED), make_delivery(hook, State.FAILED)
    Delivery.objects.filter(pk=swept.pk).delete()
    with pytest.raises(Conflict, match=GONE):
        replay(swept)
    Hook.objects.all().delete()
    Runnable.objects.all().delete()
    with pytest.raises(Conflict, match="deleted in the meantime"):
        replay(of_no_hook)


def test_of_many_runs_each_delivery_is_replayed_once_in_its_turn(hook: Hook, shop: Application) -> None:
    of_job = make_run(make_job(shop).runnable, State.FAILED)
    first, second, waits = (make_delivery(hook, state) for state in (State.FAILED, State.FAILED, State.QUEUED))
    again = make_run(hook.runnable, State.FAILED, kind="delivery", input={"delivery": str(first.pk)})
    Delivery.objects.filter(pk=first.pk).update(run_id=again.pk)
    ids = [of_job.pk, first.pk, second.pk, again.pk, waits.pk]
    made = run_services.replay_runs(application=shop, run_ids=ids, by=OPERATOR, now=LATER, per_minute=20)
    assert made == 3
    told = Run.objects.filter(cause=Cause.REPLAY).order_by("due_at")
    assert [(run.replay_of, run.due_at - LATER) for run in told] == [
        (of_job.pk, timedelta(0)),
        (again.pk, timedelta(seconds=3)),
        (second.pk, timedelta(seconds=6)),
    ]
    assert lifecycle.queue_waiting(LATER + timedelta(seconds=6), 10) == ["io"] * 2


def test_runs_of_a_thousand_deliveries_are_replayed_in_a_few_statements(
    hook: Hook, django_assert_max_num_queries: Any
) -> None:
    ids = [make_delivery(hook, State.FAILED).pk for _ in range(30)]
    with django_assert_max_num_queries(8):
        assert len(making.replay(ids, now=LATER)) == 30
