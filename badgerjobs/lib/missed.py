"""What should have run in a span of time, told in one breath."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Missed:
    """Consecutive occurrences of one schedule: the first and the last of them, in UTC, and how many, at least one."""

    first: datetime
    last: datetime
    count: int
