"""The worker's Celery side: what comes over the broker, and when the executor starts and stops."""

import logging
import threading
import time
from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from badgerjobs.runs import fleet, rescue, retention
from badgerjobs.runs.execute import IoExecutor
from badgerjobs.runs.models import Queue

logger = logging.getLogger(__name__)

# `make up` promises to be gone within ten seconds; what a worker still holds then goes back to the queue.
DRAIN_S = 6.0
# A full worker lets others know at most this often.
RING_EVERY_S = 0.1

_executor: IoExecutor | None = None
_ringing = threading.Lock()
_last_ring: dict[str, float] = {}


@shared_task(name="runs.work", ignore_result=True)
def work(queue: str) -> None:  # noqa: ARG001  named so that a person reading the broker sees which queue rang
    """The doorbell: work waits in this queue. It says no more, so it may be lost or doubled."""
    if _executor:
        _executor.wake()


@shared_task(name="runs.rescue", ignore_result=True)
def rescue_lost() -> None:
    """The system's tick that takes back what dead workers held."""
    if rescued := rescue.rescue():
        logger.warning("%d runs were taken back from workers that are gone", len(rescued))
        ring(Queue.IO)


@shared_task(name="runs.prune", ignore_result=True)
def prune_old() -> None:
    """The system's tick that deletes what is older than `RETENTION_DAYS`."""
    if deleted := retention.prune():
        logger.info("%d runs older than %d days were deleted", deleted, settings.RETENTION_DAYS)


def ring(queue: str) -> None:
    """Tell a worker that work waits in this queue. Without a broker it is found within a second all the same."""
    try:
        work.apply_async((queue,), queue=queue, retry=False, expires=60)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("the broker cannot be reached, workers find the work by themselves: %s", error)


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


@worker_ready.connect
def start(**_: Any) -> None:
    """Begin to claim, when Celery is ready to hear the bell."""
    global _executor  # noqa: PLW0603  one executor a process: that is what a worker is
    _executor = IoExecutor(worker=fleet.Identity(Queue.IO), slots=settings.IO_SLOTS, ring=lambda: ring_on(Queue.IO))
    _executor.start()
    _executor.wake()
    logger.info("worker %s takes up to %d runs at once", _executor.worker.name, settings.IO_SLOTS)


@worker_shutting_down.connect
def announce(**_: Any) -> None:
    logger.info("worker stops: what is running may finish for %d s", DRAIN_S)


@worker_shutdown.connect
def stop(**_: Any) -> None:
    """Let what runs finish, for a while, and hand the rest back."""
    if _executor:
        _executor.stop(DRAIN_S)
