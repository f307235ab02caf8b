"""The database's clock, as a worker has it."""

import time
from datetime import UTC, datetime, timedelta

from badgerjobs.runs import fleet


class Clock:
    """The database's clock, read with each claim and carried on by our own steady one: workers' clocks may differ."""

    def __init__(self) -> None:
        self._zero = (datetime.now(UTC), time.monotonic())

    def read(self) -> datetime:
        """Ask the database, from any thread. The answer is of the moment half-way between asking and hearing."""
        asked = time.monotonic()
        now = fleet.database_now()
        self._zero = (now, (asked + time.monotonic()) / 2)
        return now

    def now(self) -> datetime:
        """What the database would say."""
        start, since = self._zero
        return start + timedelta(seconds=time.monotonic() - since)
