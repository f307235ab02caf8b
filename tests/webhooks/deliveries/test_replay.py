"""Deliveries are replayed, one and many: as they came, and never while somebody works on them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs import lifecycle
from badgerjobs.runs.models import Cause, Run, Runnable, State
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, AuditEntry
from tests.factories import NOW, make_application, make_delivery, make_hook
from webhooks.deliveries import making
from webhooks.deliveries import services as delivery_services
from webhooks.deliveries.services import GOES_ON, GONE, WHY_NOT, replay_deliveries, replay_delivery
from webhooks.models import Delivery, Hook, Standing

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def hook(shop: Application) -> Hook:
    return make_hook(shop, runnable={"priority": 9, "runs_made": 7})


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues that were rung."""
    queues: list[str] = []
    monkeypatch.setattr(making, "ring_after_commit", queues.append)
    return queues


def replay(delivery: Delivery) -> Run:
    return replay_delivery(delivery=delivery, by=OPERATOR, now=LATER)


def replay_all(application: Application, ids: list[UUID], per_minute: int | None = None) -> int:
    return replay_deliveries(
        application=application, delivery_ids=ids, by=OPERATOR, now=LATER, per_minute=per_minute
    )  # fmt: skip


def made() -> list[Any]:
    """The deliveries that replays are of, in their order."""
    runs: Any = Run.objects.filter(cause=Cause.REPLAY).order_by("id")
    return [UUID(run.input["delivery"]) for run in runs]


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.ABORTED])
def test_what_is_over_gets_another_run_of_the_same_body(hook: Hook, rung: list[str], state: State) -> None:
    delivery = make_delivery(hook, state)
    run = replay(delivery)
    assert (run.cause, run.replay_of, run.state, run.number) == (Cause.REPLAY, delivery.pk, State.QUEUED, 0)
    assert (run.kind, run.queue, run.priority, run.due_at) == ("delivery", "io", 9, LATER)
    assert run.input == {"delivery": str(delivery.pk)}
    assert (delivery.run_id, rung) == (run.pk, ["io"])
    assert Run.objects.get(pk=delivery.pk).state == state
    assert Runnable.objects.get().runs_made == 7
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject) == ("delivery.replay", f"delivery {delivery.pk}")


def test_what_was_only_stored_is_acted_upon_by_what_the_hook_does_now(hook: Hook) -> None:
    delivery = make_delivery(hook)
    run = replay(delivery)
    assert (run.replay_of, delivery.standing, delivery.run_id) == (None, Standing.ACCEPTED, run.pk)


def test_a_replay_can_be_claimed_and_replayed_again(hook: Hook) -> None:
    first = replay(make_delivery(hook, State.FAILED))
    [claimed] = lifecycle.claim(queue="io", worker=uuid7(), limit=5, now=LATER)
    assert claimed.id == first.pk
    Run.objects.filter(pk=first.pk).update(state=State.FAILED)
    assert replay(Delivery.objects.get()).replay_of == first.pk


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.RETRYING, State.SCHEDULED])
def test_what_is_worked_on_is_not_replayed(hook: Hook, state: State, rung: list[str]) -> None:
    delivery = make_delivery(hook, state)
    with pytest.raises(Conflict, match=GOES_ON):
        replay(delivery)
    assert replay_all(hook.application, [delivery.pk]) == 0
    assert (Run.objects.count(), AuditEntry.objects.count(), rung) == (1, 0, [])


@pytest.mark.parametrize("standing", WHY_NOT)
def test_what_was_not_accepted_is_not_replayed_and_says_what_to_do(hook: Hook, standing: Standing) -> None:
    delivery = make_delivery(hook, standing=standing)
    with pytest.raises(Conflict, match=WHY_NOT[standing]):
        replay(delivery)
    assert replay_all(hook.application, [delivery.pk]) == 0
    assert Run.objects.count() == 0


def test_what_was_deleted_meanwhile_is_not_replayed(hook: Hook) -> None:
    of_no_hook, gone = make_delivery(hook, State.FAILED), make_delivery(make_hook(hook.application, "b"), State.FAILED)
    Delivery.objects.filter(pk=gone.pk).delete()
    Hook.objects.filter(pk=hook.pk).delete()
    Runnable.objects.filter(pk=hook.runnable_id).delete()
    for delivery in (of_no_hook, gone):
        with pytest.raises(Conflict, match=GONE):
            replay(delivery)
    assert replay_all(hook.application, [of_no_hook.pk, gone.pk]) == 0


def test_many_are_replayed_in_steps_the_oldest_first_each_once(
    hook: Hook, monkeypatch: pytest.MonkeyPatch, rung: list[str]
) -> None:
    monkeypatch.setattr(delivery_services, "STEP", 2)
    mine = [make_delivery(hook, State.FAILED) for _ in range(3)]
    waits = make_delivery(hook, State.QUEUED)
    other = make_delivery(make_hook(make_application("Charlie's"), "c"), State.FAILED)
    ids = [one.pk for one in (other, waits, *reversed(mine), mine[0])]
    assert replay_all(hook.application, ids) == 3
    assert made() == [one.pk for one in mine]
    assert rung == ["io", "io"]
    names = [str(one.pk) for one in mine]
    assert list(AuditEntry.objects.order_by("id").values_list("subject", "changes")) == [
        ("2 deliveries", {"deliveries": [None, names[:2]]}),
        (f"delivery {names[2]}", {}),
    ]


def test_the_log_names_the_first_of_many_and_counts_the_rest(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_services, "MOST_NAMED", 2)
    ids = [make_delivery(hook, State.FAILED).pk for _ in range(4)]
    replay_all(hook.application, ids[::-1])
    names = [str(ids[0]), str(ids[1]), "and 2 more"]
    assert AuditEntry.objects.get().changes == {"deliveries": [None, names]}


def test_no_more_of_them_begin_in_a_minute_than_somebody_said(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_services, "STEP", 2)
    ids = [make_delivery(hook, State.FAILED).pk for _ in range(3)]
    make_delivery(hook, State.QUEUED)
    assert replay_all(hook.application, ids, per_minute=20) == 3
    runs = Run.objects.filter(cause=Cause.REPLAY).order_by("id")
    assert [run.due_at - LATER for run in runs] == [timedelta(seconds=wait) for wait in (0, 3, 6)]
    assert [run.state for run in runs] == [State.QUEUED, State.SCHEDULED, State.SCHEDULED]
    assert lifecycle.queue_waiting(LATER + timedelta(seconds=3), 10) == ["io"]


def test_a_thousand_are_replayed_in_a_few_statements(hook: Hook, django_assert_max_num_queries: Any) -> None:
    ids = [make_delivery(hook, State.FAILED).pk for _ in range(30)]
    with django_assert_max_num_queries(6):  # two of them begin and end the step
        assert replay_all(hook.application, ids) == 30
