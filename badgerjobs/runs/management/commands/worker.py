"""`manage.py worker`: one worker process in the foreground, any number of which may run."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Performs runs until it is told to stop; what is running then may finish first."

    def handle(self, *_: Any, **__: Any) -> None:
        # Replaces this process: whoever supervises it signals Celery itself. Gossip and the like are messages between
        # workers that ours have no use for: they meet in the database.
        os.chdir(settings.BASE_DIR)
        os.execv(  # noqa: S606
            sys.executable,
            [
                sys.executable, "-m", "celery", "--app", "badgerjobs", "--quiet", "worker",
                "--pool", "threads", "--concurrency", "2", "--queues", "io,system",
                "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO",
            ],
        )  # fmt: skip
