"""Badger Jobs: runs people's work at the right time and shows what happened."""

import gc
import sys
from pathlib import Path

# What starts imports thousands of things that stay. Python would look for garbage among them after every 700 more: that
# takes a tenth of each start, and a fifth of `migrate`.
gc.set_threshold(10_000, 10, 10)

# The folder `collections/` holds the app `slurps`. It must not be a package (it would shadow Python's own
# `collections`), so it is a place on the path; appended, so that nothing in it can shadow anything installed.
_COLLECTIONS = str(Path(__file__).resolve().parents[1] / "collections")
if _COLLECTIONS not in sys.path:
    sys.path.append(_COLLECTIONS)

# Celery's own rule: whoever imports the project has its application, so that a task sent from anywhere knows the
# broker.
from badgerjobs.celery import app as celery_app  # noqa: E402

__all__ = ["celery_app"]
