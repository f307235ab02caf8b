"""What is pulled in, what is made of it, and the rows that readers query."""

from slurps.models.async_job import KIND, AsyncJob
from slurps.models.collection import Collection, Mode
from slurps.models.row import KEY_LETTERS, SLOTS, Row
from slurps.models.slurper import Language, Slurper, SlurperSource
from slurps.models.version import Stage, Version

__all__ = [
    "KEY_LETTERS", "KIND", "SLOTS", "AsyncJob", "Collection", "Language", "Mode", "Row", "Slurper", "SlurperSource",
    "Stage", "Version",
]  # fmt: skip
