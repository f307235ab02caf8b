"""An executor that is stopped, or whose database goes away, loses nothing."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection

from badgerjobs.runs import clock as clock_module
from badgerjobs.runs import fleet, lifecycle, rescue
from badgerjobs.runs.claiming import Claims
from badgerjobs.runs.clock import Clock
from badgerjobs.runs.execute import Executor
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import Attempt, Run, Runnable, State, Worker
from badgerjobs.runs.record import finish_all
from tests.factories import NOW
from tests.runs.staging import Gate, Stage, kind, load_all, queue, states
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def once(call: Callable[..., Any], error: Exception, *, after: bool = False) -> Callable[..., Any]:
    """The same call, but the first time it raises; with `after`, having done its work: the answer was lost."""
    used = threading.Event()

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if used.is_set():
            return call(*args, **kwargs)
        used.set()
        if after:
            call(*args, **kwargs)
        raise error

    return wrapped


AWAY = OperationalError("the connection is lost")


def test_what_runs_may_end_when_the_worker_stops(stage: Stage, runnable: Runnable) -> None:
    gate = Gate()
    stage.kinds["staged"] = kind(gate.perform)
    runs = queue(runnable, 10)
    with stage.executing(slots=8) as executor, ThreadPoolExecutor(1) as aside:
        until(lambda: gate.inside == 8)
        stopping = aside.submit(executor.stop, 10)
        until(executor._stopping.is_set)
        gate.open()
        stopping.result(10)

    assert states(runs[:8]) == {"succeeded"}
    assert states(runs[8:]) == {"queued"}
    assert not Worker.objects.exists()


def test_who_is_told_to_stop_while_it_waits_for_a_slot_claims_no_more(
    stage: Stage, runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def told_meanwhile(executor: Executor) -> int:
        executor._stopping.set()
        return 2

    monkeypatch.setattr(Executor, "_free_slots", told_meanwhile)
    runs = queue(runnable, 2)
    with stage.executing(slots=2) as executor:
        until(executor._stopping.is_set)
        executor.stop(1)
    assert states(runs) == {"queued"}


def test_what_does_not_end_in_time_is_handed_back(stage: Stage, runnable: Runnable) -> None:
    gate = Gate()
    stage.kinds["staged"] = kind(gate.perform)
    runs = queue(runnable, 5)
    with stage.executing(slots=2) as executor:
        until(lambda: gate.inside == 2)
        executor.stop(0.05)
        assert not executor._thread.is_alive()

    assert gate.cancelled == 2
    assert states(runs) == {"queued"}
    assert not Attempt.objects.exists()
    assert not Worker.objects.exists()
    released = [line.message for run in runs for line in run.log.all()]
    assert len(released) == 2
    assert all(message.startswith("Released") for message in released)


async def _no_claim_is_under_way(executor: Executor) -> None:
    async with executor._books:
        """The one that had begun is over."""


def test_nothing_is_claimed_from_the_signal_on(stage: Stage, runnable: Runnable) -> None:
    gate = Gate()
    stage.kinds["staged"] = kind(gate.perform)
    [running] = queue(runnable)
    with stage.executing() as executor:
        until(lambda: gate.inside == 1)
        executor.wind_down(10)
        until(executor._stopping.is_set)
        asyncio.run_coroutine_threadsafe(_no_claim_is_under_way(executor), executor._loop).result(10)
        late = queue(runnable, 5)
        executor.wake()
        gate.open()
        executor.stop(10)

    assert states([running]) == {"succeeded"}
    assert states(late) == {"queued"}


def test_an_executor_with_nothing_to_do_stops_at_once(stage: Stage, db: None) -> None:
    with stage.executing() as executor:
        executor.stop(5)
        assert not executor._thread.is_alive()
        executor.wake()
    assert not Worker.objects.exists()


def test_a_worker_that_stops_in_the_middle_of_its_pulse_leaves_no_row_behind(
    stage: Stage, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, go, pulse = threading.Event(), threading.Event(), fleet.pulse

    def slow(*args: Any) -> list[UUID]:
        entered.set()
        go.wait(10)
        return pulse(*args)

    monkeypatch.setattr(fleet, "pulse", slow)
    with stage.executing() as executor, ThreadPoolExecutor(1) as aside:
        assert entered.wait(10)
        stopping = aside.submit(executor.stop, 5)
        with pytest.raises(TimeoutError):
            stopping.result(0.2)
        go.set()
        stopping.result(10)

    assert not Worker.objects.exists()


def test_nothing_is_claimed_before_the_worker_is_seen(
    stage: Stage, runnable: Runnable, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rows: list[bool] = []

    def claim(**given: Any) -> list[Claimed]:
        rows.append(Worker.objects.filter(pk=given["worker"]).exists())
        return real(**given)

    real = lifecycle.claim
    monkeypatch.setattr(lifecycle, "claim", claim)
    monkeypatch.setattr(fleet, "pulse", once(fleet.pulse, AWAY))
    runs = queue(runnable, 3)
    with stage.executing():
        until(lambda: states(runs) == {"succeeded"})

    assert all(rows)


@pytest.mark.parametrize("after", [False, True], ids=["before it is made", "after it was made"])
@pytest.mark.parametrize("what", ["claim", "finish", "pulse"])
def test_a_connection_that_breaks_costs_nothing_but_time(  # noqa: PLR0917
    what: str,
    after: bool,
    stage: Stage,
    runnable: Runnable,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    match what:
        case "claim":
            monkeypatch.setattr(Claims, "take", once(Claims.take, AWAY, after=after))
        case "finish":
            monkeypatch.setattr("badgerjobs.runs.record.finish_all", once(finish_all, AWAY, after=after))
        case "pulse":
            monkeypatch.setattr(fleet, "pulse", once(fleet.pulse, AWAY, after=after))
    runs = queue(runnable, 20)
    with stage.executing():
        until(lambda: states(runs) == {"succeeded"})

    assert Attempt.objects.count() == 20
    assert "trying again" in caplog.text


def test_a_claim_that_lands_after_it_was_given_up_is_found_and_performed(
    stage: Stage, runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("badgerjobs.runs.execute.STRAYS_S", 0)
    with stage.executing() as executor:
        [run] = queue(runnable, state=State.RUNNING, worker=executor.worker.id)
        until(lambda: states([run]) == {"succeeded"})

    assert run.log.get().message.startswith("Released: the worker lost its connection")


def test_what_is_under_way_is_not_taken_for_lost(
    stage: Stage, runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = 0

    def strays(*given: Any) -> set[UUID]:
        nonlocal looked
        looked += 1
        return real(*given)

    real = fleet.strays
    monkeypatch.setattr(fleet, "strays", strays)
    monkeypatch.setattr("badgerjobs.runs.execute.STRAYS_S", 0)
    gate = Gate()
    stage.kinds["staged"] = kind(gate.perform)
    runs = queue(runnable, 5)
    with stage.executing():
        until(lambda: gate.inside == 5 and looked > 3)
        gate.open()
        until(lambda: states(runs) == {"succeeded"})

    assert gate.most == 5
    assert not any(run.log.exists() for run in runs)


def test_what_cannot_be_loaded_now_stays_queued_and_is_loaded_later(
    stage: Stage, runnable: Runnable, caplog: pytest.LogCaptureFixture
) -> None:
    stage.kinds["staged"] = kind(load=once(load_all, AWAY))
    runs = queue(runnable, 5)
    with stage.executing():
        until(lambda: states(runs) == {"succeeded"})

    assert not any(run.log.exists() for run in runs)


def test_connections_that_the_server_ends_are_made_anew(
    stage: Stage, runnable: Runnable, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    stage.kinds["staged"] = kind(gate.perform)
    runs = queue(runnable, 20)
    with stage.executing():
        until(lambda: gate.inside == 20)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        gate.open()
        more = queue(runnable, 5)
        until(lambda: states([*runs, *more]) == {"succeeded"})

    assert Attempt.objects.count() == 25


def test_runs_of_a_worker_that_died_are_performed_by_another(stage: Stage, runnable: Runnable) -> None:
    runs = queue(runnable, 5)
    lifecycle.claim(queue="io", worker=uuid4(), limit=3, now=fleet.database_now())

    with stage.executing():
        until(lambda: states(runs[3:]) == {"succeeded"})
        assert len(rescue.rescue()) == 3
        until(lambda: states(runs) == {"succeeded"})

    assert set(Run.objects.values_list("rescues", "attempts")) == {(1, 1), (0, 1)}


def test_the_clock_of_a_worker_is_the_databases_carried_on(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([10.0, 10.2, 15.1])
    clock = Clock()
    monkeypatch.setattr(clock_module, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    monkeypatch.setattr(fleet, "database_now", lambda: NOW)

    assert clock.read() == NOW
    # Heard after 0.2 s, so the answer is taken to be 0.1 s old.
    assert clock.now() == NOW + timedelta(seconds=5)
