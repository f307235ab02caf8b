"""The doorbell: what goes over the broker, and what is done when nobody hears it."""

import json
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError

from badgerjobs.celery import app
from badgerjobs.runs import worker
from badgerjobs.runs.models import Queue, Run, Runnable, State
from tests.factories import make_run

BELL = "badgerjobs.runs.worker.work.apply_async"


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The broker, empty; and nobody has rung yet."""
    monkeypatch.setattr(worker, "_quiet_until", 0.0)
    monkeypatch.setattr(worker, "_last_ring", {})
    cache.clear()
    return cache._cache.get_client()  # type: ignore[attr-defined]


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch, broker: Any) -> SimpleNamespace:
    """Who was rung for, when; `fault` is raised instead."""
    state = SimpleNamespace(rung=[], fault=None, now=1000.0)

    def ring(args: tuple[str], **_: Any) -> None:
        state.rung.append(args[0])
        if state.fault:
            raise state.fault

    monkeypatch.setattr(BELL, ring)
    monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=lambda: state.now))
    return state


def test_a_ring_says_which_queue_has_work_and_no_more(broker: Any) -> None:
    worker.ring("io")

    (message,) = broker.lrange("io", 0, -1)
    sent = json.loads(message)
    assert sent["headers"]["task"] == "runs.work"
    assert sent["headers"]["eta"] is None
    assert sent["headers"]["argsrepr"] == "('io',)"


def test_a_broker_that_is_away_is_known_at_once() -> None:
    begun = time.monotonic()
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS

    with (
        app.connection_for_write("redis://127.0.0.1:9/0", transport_options=options) as away,
        pytest.raises(OperationalError),
    ):
        app.send_task("runs.work", ("io",), queue="io", connection=away, retry=False)

    assert time.monotonic() - begun < 1.5


@pytest.mark.parametrize("fault", [OperationalError("away"), ConnectionRefusedError("away")])
def test_a_ring_that_nobody_hears_is_no_error_and_is_not_tried_again_at_once(
    fault: Exception, bell: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    bell.fault = fault
    worker.ring("io")
    worker.ring("io")
    assert bell.rung == ["io"]
    assert caplog.text.count("the broker cannot be reached") == 1

    bell.now += worker.QUIET_S + 0.1
    worker.ring("io")
    assert bell.rung == ["io", "io"]


def test_a_full_worker_passes_the_bell_on_but_not_for_every_handful(bell: SimpleNamespace) -> None:
    for _ in range(5):
        worker.ring_on("io")
    assert bell.rung == ["io"]

    bell.now += worker.RING_EVERY_S + 0.01
    worker.ring_on("io")
    assert bell.rung == ["io", "io"]


@pytest.mark.django_db(transaction=True)
def test_the_bell_is_rung_when_the_rows_can_be_seen(bell: SimpleNamespace) -> None:
    with transaction.atomic():
        worker.ring_after_commit("io")
        assert bell.rung == []
    assert bell.rung == ["io"]


@pytest.mark.django_db(transaction=True)
def test_the_bell_is_not_rung_for_what_is_taken_back(bell: SimpleNamespace) -> None:
    with transaction.atomic():
        worker.ring_after_commit("io")
        transaction.set_rollback(True)
    assert bell.rung == []


def test_the_bell_wakes_the_executor_and_may_be_heard_before_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []
    worker.work("io")

    for queue in Queue:
        executor = SimpleNamespace(wake=partial(woken.append, queue))
        monkeypatch.setitem(worker._executors, queue, executor)
    worker.work("compute")

    assert woken == ["compute"]


@pytest.fixture
def _sigterm_of_others() -> Iterator[None]:
    """What a test's worker does with SIGTERM ends with the test; until it does something, the test fails by it."""

    def nobody_listens(*_: object) -> None:
        raise AssertionError

    kept = signal.signal(signal.SIGTERM, nobody_listens)
    yield
    signal.signal(signal.SIGTERM, kept)


@pytest.mark.usefixtures("_sigterm_of_others")
def test_sigterm_before_celery_listens_lets_the_executor_end_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[float] = []

    def executor(**_: Any) -> SimpleNamespace:
        # The row that says that there is this worker is written in the middle of `start`.
        return SimpleNamespace(
            start=lambda: os.kill(os.getpid(), signal.SIGTERM), wind_down=lambda _: None, stop=stopped.append
        )

    monkeypatch.setattr(worker, "Executor", executor)
    monkeypatch.setattr(worker, "_executors", {})

    with pytest.raises(SystemExit) as ended:
        worker.start()

    assert ended.value.code == 0
    assert stopped == [worker.DRAIN_S]


@pytest.mark.django_db
def test_rescued_runs_are_rung_for_and_none_are_not(bell: SimpleNamespace, runnable: Runnable) -> None:
    worker.rescue_lost()
    assert bell.rung == []

    make_run(runnable, State.RUNNING, worker=uuid4())
    worker.rescue_lost()
    assert bell.rung == ["io", "compute"]


@pytest.mark.django_db
def test_runs_are_rescued_also_while_the_broker_is_away(
    bell: SimpleNamespace, runnable: Runnable, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("away")

    run = make_run(runnable, State.RUNNING, worker=uuid4())
    monkeypatch.setattr(worker.rescue_lost, "apply_async", away)
    monkeypatch.setattr(worker, "connection", SimpleNamespace(close=lambda: None))  # the test's own stays open

    worker.send("runs.rescue", expires=30.0)

    run.refresh_from_db()
    assert run.state == "queued"


def test_a_tick_of_the_systems_goes_to_the_systems_queue(broker: Any) -> None:
    app.loader.import_default_modules()

    worker.send("runs.prune", expires=60.0)

    (message,) = broker.lrange("system", 0, -1)
    assert json.loads(message)["headers"]["task"] == "runs.prune"


@pytest.mark.django_db
def test_pruning_is_a_tick_of_the_systems(runnable: Runnable) -> None:
    run = make_run(runnable, State.RUNNING)

    worker.prune_old()

    assert Run.objects.get() == run


def test_the_system_has_its_queue_and_every_tick_its_task() -> None:
    app.loader.import_default_modules()
    ticks = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert ticks <= set(app.tasks)
    assert {queue.name for queue in settings.CELERY_TASK_QUEUES} >= {"io", settings.CELERY_TASK_DEFAULT_QUEUE}


def test_where_nobody_hears_them_rings_do_not_pile_up(broker: Any) -> None:
    for _ in range(worker.RINGS_WAITING + 50):
        worker.ring("io")

    assert broker.llen("io") == worker.RINGS_WAITING + 1
