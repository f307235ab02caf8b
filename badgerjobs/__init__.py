"""Badger Jobs: runs people's work at the right time and shows what happened."""

import sys
from pathlib import Path

# The folder `collections/` holds the app `slurps`. It must not be a package (it would shadow Python's own
# `collections`), so it is a place on the path; appended, so that nothing in it can shadow anything installed.
_COLLECTIONS = str(Path(__file__).resolve().parents[1] / "collections")
if _COLLECTIONS not in sys.path:
    sys.path.append(_COLLECTIONS)

# Celery's own rule: whoever imports the project has its application, so that a task sent from anywhere knows the
# broker.
from badgerjobs.celery import app as celery_app  # noqa: E402

__all__ = ["celery_app"]
