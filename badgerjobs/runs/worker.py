"""The worker's Celery side: what comes over the broker, and when the executor starts and stops."""

import logging
import os
import signal
import sys
import threading
import time
from functools import partial
from typing import Any, NoReturn

from celery import current_app, shared_task
from celery.signals import worker_init, worker_shutdown, worker_shutting_down
from django.conf import settings
from django.db import Error, connection, transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from badgerjobs.lib.time_limits import within
from badgerjobs.runs import broker, fleet, rescue, retention
from badgerjobs.runs.execute import Executor
from badgerjobs.runs.models import Queue
from badgerjobs.runs.ticks import tick_of
from badgerjobs.runs.watch import Watch

logger = logging.getLogger(__name__)

# `make up` promises to be gone within ten seconds; what a worker still holds then goes back to the queue.
DRAIN_S = 6.0
# A full worker lets others know at most this often.
RING_EVERY_S = 0.1
# More of them than this in the broker are not heard sooner.
RINGS_WAITING = 100
# After a ring that was not heard, none is tried for so long: each may take seconds to fail.
QUIET_S = 2.0
# For all that a tick of the system asks of the database.
TICK_S = 30.0

_executors: dict[Queue, Executor] = {}
_watch: Watch | None = None
_quiet_until = 0.0
_ringing = threading.Lock()
_last_ring: dict[str, float] = {}


def become(*words: str) -> NoReturn:
    """Go on as `celery WORDS`, in the process that has imported and checked everything. Ends with its status."""
    os.environ["CELERY_SKIP_CHECKS"] = "1"  # manage.py has just made Django's
    sys.exit(current_app.start(["--quiet", *words]))


@shared_task(name="runs.work", ignore_result=True)
def work(queue: str) -> None:
    """The doorbell: work waits in this queue. It says no more, so it may be lost or doubled."""
    for its_queue, executor in _executors.items():
        if its_queue == queue:
            executor.wake()


@shared_task(name="runs.rescue", ignore_result=True)
@within(TICK_S)
def rescue_lost() -> None:
    """The system's tick that takes back what dead workers held."""
    if rescued := rescue.rescue():
        logger.warning("%d runs were taken back from workers that are gone", len(rescued))
        for queue in (Queue.IO, Queue.COMPUTE):
            ring(queue)


@shared_task(name="runs.prune", ignore_result=True)
@within(TICK_S)
def prune_old() -> None:
    """The system's tick that deletes what is older than `RETENTION_DAYS`."""
    if deleted := retention.prune():
        logger.info("%d runs older than %d days were deleted", deleted, settings.RETENTION_DAYS)


@shared_task(name="runs.tell", ignore_result=True)
@within(TICK_S)
def tell_people() -> None:
    """The system's tick that makes notices of what needs a person."""
    tick_of("tell")()


@shared_task(name="runs.tidy", ignore_result=True)
@within(TICK_S)
def tidy_up() -> None:
    """The system's tick that takes back what runs have left half done, and what the deleted have left."""
    tick_of("tidy")()


def ring(queue: str) -> None:
    """Tell a worker that work waits in this queue. Without a broker it is found within a second all the same."""
    if time.monotonic() >= _quiet_until and not _is_heard_anyway(queue):
        _sent(work, queue, queue=queue, expires=60)


def _is_heard_anyway(queue: str) -> bool:
    """Whether so many rings lie there already that one more says nothing: with no worker there, they would pile up."""
    try:
        return broker.connection().llen(queue) > RINGS_WAITING
    except (RedisError, OSError):
        return False


def send(task: str, **options: Any) -> None:
    """Send one of the system's ticks. Without a broker the rescue is done here and now: runs must not wait for one."""
    if not _sent(current_app.tasks[task], **options) and task == rescue_lost.name:
        try:
            rescue_lost()
        except Error:
            logger.warning("nothing can be rescued now; it is tried again", exc_info=True)
        finally:
            connection.close()


def _sent(task: Any, *args: str, **options: Any) -> bool:
    global _quiet_until  # noqa: PLW0603  what one thread learns of the broker, all others need not try
    try:
        task.apply_async(args, retry=False, **options)
    except (OperationalError, RedisError, OSError) as error:
        _quiet_until = time.monotonic() + QUIET_S
        logger.warning("the broker cannot be reached, workers find the work by themselves: %s", error)
        return False
    return True


def ring_after_commit(queue: str) -> None:
    """Ring once the rows can be seen."""
    transaction.on_commit(lambda: ring(queue))


def ring_on(queue: str) -> None:
    """Pass the bell on when this worker is full, but not for every handful it takes."""
    now = time.monotonic()
    with _ringing:
        if now - _last_ring.get(queue, 0) < RING_EVERY_S:
            return
        _last_ring[queue] = now
    ring(queue)


@worker_init.connect
def start(**_: Any) -> None:
    """Begin to claim at once. Celery's own readiness would wait for a broker that is away."""
    global _watch  # noqa: PLW0603  one of each a process: that is what a worker is
    # Celery takes this signal a moment later. Until then it would end us where we stand, and our row would stay.
    signal.signal(signal.SIGTERM, _end_before_celery_is_there)
    for queue, options in _executors_of_this_process().items():
        _executors[queue] = Executor(worker=fleet.Identity(queue), ring=partial(ring_on, queue), **options)
        _executors[queue].start()
        _executors[queue].wake()
    _watch = Watch()
    _watch.start()
    for queue, executor in _executors.items():
        logger.info("worker %s takes up to %d runs of %s at once", executor.worker.name, executor.slots, queue.value)


def _executors_of_this_process() -> dict[Queue, dict[str, int]]:
    """How many slots each has. A run that computes keeps its slot, which is a process, for as long as it lasts."""
    io = {Queue.IO: {"slots": settings.IO_SLOTS}}
    if not settings.CODE_PROCESSES:
        return io
    return io | {Queue.COMPUTE: {"slots": settings.CODE_PROCESSES, "aside": 0}}


def _end_before_celery_is_there(*_: object) -> None:
    stop()
    raise SystemExit(0)


@worker_shutting_down.connect
def wind_down(**_: Any) -> None:
    """Claim no more from the moment of the signal on: Celery's own shutdown takes a while to reach us."""
    for executor in _executors.values():
        executor.wind_down(DRAIN_S)
    logger.info("worker stops: what is running may finish for %d s", DRAIN_S)


@worker_shutdown.connect
def stop(**_: Any) -> None:
    """Let what runs finish, for a while, and hand the rest back."""
    if _watch:
        _watch.stop(0)
    for executor in _executors.values():
        executor.wind_down(DRAIN_S)
    for executor in _executors.values():
        executor.stop(DRAIN_S)
