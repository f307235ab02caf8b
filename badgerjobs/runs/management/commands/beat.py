"""`manage.py beat`: one beat in the foreground, any number of which may run."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from badgerjobs.runs.worker import become


class Command(BaseCommand):
    help = "Turns what is due into queued runs until it is told to stop."

    def handle(self, *_: Any, **__: Any) -> None:
        # From here on it is Celery, and whoever supervises it signals Celery itself. No file: beats share the rows.
        os.chdir(settings.BASE_DIR)
        become("beat", "--pidfile", "", "--loglevel", "INFO")
