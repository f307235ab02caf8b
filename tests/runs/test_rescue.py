"""Runs of workers that are gone are taken back; runs of workers that are seen are not."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from badgerjobs.runs import fleet, lifecycle, rescue
from badgerjobs.runs.models import Queue, Run, Runnable, State, Worker
from badgerjobs.runs.processes.lines import write
from badgerjobs.runs.processes.pipe import Work
from tests.factories import NOW, make_run
from tests.runs.claims import ME, ended

pytestmark = pytest.mark.django_db

PULSE = timedelta(seconds=fleet.PULSE_S)


def seen(ago: timedelta) -> fleet.Identity:
    """A worker that was last seen so long ago."""
    now, worker = fleet.database_now(), fleet.Identity(Queue.IO)
    Worker.objects.create(id=worker.id, name=worker.name, queue=worker.queue, started_at=now - ago, seen_at=now - ago)
    return worker


@pytest.mark.parametrize("ago", [timedelta(0), 5 * PULSE, fleet.LEASE - PULSE])
def test_what_a_seen_worker_has_is_left_to_it(ago: timedelta, runnable: Runnable) -> None:
    run = make_run(runnable, State.RUNNING, worker=seen(ago).id)

    assert rescue.rescue() == set()

    run.refresh_from_db()
    assert (run.state, run.rescues, run.log.count()) == ("running", 0, 0)


@pytest.mark.parametrize("row", [True, False], ids=["silent", "gone altogether"])
def test_what_a_lost_worker_had_is_queued_again_under_the_same_id(row: bool, runnable: Runnable) -> None:
    worker = seen(fleet.LEASE + PULSE).id if row else uuid4()
    run = make_run(runnable, State.RUNNING, worker=worker, attempts=1, started_at=NOW)

    assert rescue.rescue() == {run.pk}

    run.refresh_from_db()
    assert (run.state, run.worker, run.rescues, run.attempts) == ("queued", None, 1, 1)
    line = run.log.get()
    assert (line.level, line.attempt) == ("warning", 2)
    assert line.message.startswith("Rescued")


def test_what_is_said_by_an_attempt_that_is_made_again_is_told_apart(runnable: Runnable) -> None:
    run = make_run(runnable, State.RUNNING, worker=uuid4())
    work = Work(
        run_id=run.pk, application_id=run.application_id, definition="x", name="x", input=None, output=None,
        iteration=1, attempt=1, timeout_s=1, worker=run.worker,
    )  # fmt: skip
    write(work, "info", "Begun.", None)
    rescue.rescue()
    [taken] = lifecycle.claim(queue="io", worker=ME, limit=1, now=NOW)
    write(work, "info", "Of the lost one, too late.", None)
    write(replace(work, worker=ME), "info", "Begun.", None)
    failed = replace(ended(run, State.FAILED, ok=False, error="It broke."), run=taken)
    lifecycle.finish([failed], worker=ME)

    lines = run.log.order_by("pk").values_list("attempt", "rescues", "message")
    assert [(attempt, rescues, message.split()[0]) for attempt, rescues, message in lines] == [
        (1, 0, "Begun."), (1, 1, "Rescued:"), (1, 1, "Begun."), (1, 1, "It"),
    ]  # fmt: skip


def test_a_run_that_ends_all_its_workers_is_given_up(runnable: Runnable) -> None:
    run = make_run(runnable)
    for _ in range(lifecycle.RESCUES):
        lifecycle.claim(queue="io", worker=uuid4(), limit=1, now=NOW)
        rescue.rescue()
        run.refresh_from_db()
        assert run.state == "queued"
    lifecycle.claim(queue="io", worker=uuid4(), limit=1, now=NOW)

    assert rescue.rescue() == {run.pk}

    run.refresh_from_db()
    assert (run.state, run.worker, run.rescues) == ("failed", None, lifecycle.RESCUES)
    assert run.finished_at is not None
    assert run.error == "Lost: 6 workers ended while they had this run."
    assert run.log.count() == lifecycle.RESCUES + 1


def test_a_worker_learns_what_it_has_lost(runnable: Runnable) -> None:
    worker = fleet.Identity(Queue.IO)
    mine, aborted, taken = (make_run(runnable, State.RUNNING, worker=worker.id) for _ in range(3))
    lifecycle.abort([aborted.pk], now=NOW, reason="Enough.")
    Run.objects.filter(pk=taken.pk).update(worker=uuid4())
    deleted = uuid4()

    lost = fleet.pulse(worker, [mine.pk, aborted.pk, taken.pk, deleted])

    assert set(lost) == {aborted.pk, taken.pk, deleted}


def test_a_worker_is_one_row_that_says_when_it_was_seen() -> None:
    worker = fleet.Identity(Queue.IO)

    fleet.pulse(worker, [])
    first = Worker.objects.get()
    fleet.pulse(worker, [])
    again = Worker.objects.get()

    assert (again.pk, again.started_at) == (worker.id, first.started_at)
    assert again.seen_at > first.seen_at
    fleet.leave(worker)
    assert not Worker.objects.exists()


def test_workers_that_have_been_gone_for_long_are_forgotten() -> None:
    for ago in (timedelta(0), fleet.LEASE + PULSE, fleet.FORGET + PULSE):
        seen(ago)

    rescue.rescue()

    assert Worker.objects.count() == 2


def test_what_was_rescued_from_a_worker_that_was_only_slow_is_finished_once(runnable: Runnable) -> None:
    run = make_run(runnable, State.RUNNING, worker=ME)
    rescue.rescue()
    another = uuid4()
    lifecycle.claim(queue="io", worker=another, limit=1, now=NOW)

    assert lifecycle.finish([ended(run)], worker=ME) == set()
    assert lifecycle.finish([ended(run)], worker=another) == {run.pk}

    assert run.tries.count() == 1
