"""`manage.py beat`: one beat in the foreground, any number of which may run."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Turns what is due into queued runs until it is told to stop."

    def handle(self, *_: Any, **__: Any) -> None:
        # Replaces this process: whoever supervises it signals Celery itself. No file of its own: beats share the rows.
        os.chdir(settings.BASE_DIR)
        os.execv(  # noqa: S606
            sys.executable,
            [
                sys.executable, "-m", "celery", "--app", "badgerjobs", "--quiet", "beat",
                "--pidfile", "", "--loglevel", "INFO",
            ],
        )  # fmt: skip
