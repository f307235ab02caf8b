"""The Celery application: settings are `CELERY_*` in settings.py."""

import logging
import os
import warnings

from celery import Celery
from celery.platforms import SecurityWarning  # type: ignore[attr-defined]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "badgerjobs.settings")

# It warns of root because of pickle. Our messages are JSON, and hold the name of a queue.
warnings.filterwarnings("ignore", category=SecurityWarning)
# A line for each ring of the doorbell says nothing: what happened to a run is in the run.
for _name in (
    "celery.app.trace",
    "celery.apps.worker",
    "celery.beat",
    "celery.worker.consumer.connection",
    "celery.worker.strategy",
    "django_celery_beat.schedulers",
):
    logging.getLogger(_name).setLevel(logging.WARNING)

app = Celery("badgerjobs")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.imports = ["badgerjobs.runs.worker"]
