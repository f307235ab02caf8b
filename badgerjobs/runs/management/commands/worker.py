"""`manage.py worker`: one worker process in the foreground, any number of which may run."""

import os
import resource
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from badgerjobs.runs.worker import become


class Command(BaseCommand):
    help = "Performs runs until it is told to stop; what is running then may finish first."

    def handle(self, *_: Any, **__: Any) -> None:
        # From here on it is Celery, and whoever supervises it signals Celery itself. Gossip and the like are messages
        # between workers that ours have no use for: they meet in the database.
        os.chdir(settings.BASE_DIR)
        _allow_many_connections()
        _give_way(settings.WORKER_NICENESS)
        become(
            "worker", "--pool", "threads", "--concurrency", "2", "--queues", "io,compute,system",
            "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO",
        )  # fmt: skip


def _allow_many_connections() -> None:
    """Each call in flight is an open file, and many systems allow 1,024 unless a process asks for more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _give_way(niceness: int) -> None:
    """Leave the processor to web and the database first: who asks waits for an answer, work is done a little later.

    What the worker starts, sandboxes among it, inherits it. Where Linux shares the processor out by sessions first, it
    counts by session: ours is told when nobody else is in it.
    """
    os.nice(niceness)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # no such file elsewhere, and containers may not write to it
            Path("/proc/self/autogroup").write_text(str(niceness))
