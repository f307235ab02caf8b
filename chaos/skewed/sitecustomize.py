"""Python imports this at its start when this folder is on PYTHONPATH: the clock on its wall is wrong by some seconds.

`CHAOS_CLOCK_OFFSET_S` says by how much. What is shifted is what Python code asks for the time of day: `time.time`,
`time.time_ns`, `datetime.now`, `datetime.utcnow`, `datetime.today`. Monotonic clocks, timers and the kernel stay right,
as they do on a machine whose clock is wrong.
"""

import datetime as dt
import os
import time
from typing import Any

OFFSET_S = float(os.environ.get("CHAOS_CLOCK_OFFSET_S", "0"))

TRUE, _time, _time_ns = dt.datetime, time.time, time.time_ns


class _AnyDatetime(type):
    """Moments that C code makes are of the true class, and must pass for one of ours."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, TRUE)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, TRUE)


class Skewed(dt.datetime, metaclass=_AnyDatetime):
    """`datetime` whose now is another. What comes out of it is of the true class."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return TRUE(*args, **kwargs)

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return TRUE.now(tz) + dt.timedelta(seconds=OFFSET_S)

    @classmethod
    def utcnow(cls) -> Any:
        return TRUE.utcnow() + dt.timedelta(seconds=OFFSET_S)

    @classmethod
    def today(cls) -> Any:
        return cls.now()

    @classmethod
    def fromtimestamp(cls, timestamp: float, tz: Any = None) -> Any:
        return TRUE.fromtimestamp(timestamp, tz)


def skew() -> None:
    """From now on the time of day is another for whoever asks Python."""
    time.time = lambda: _time() + OFFSET_S
    time.time_ns = lambda: _time_ns() + int(OFFSET_S * 1e9)
    dt.datetime = Skewed  # type: ignore[misc]


if OFFSET_S:
    skew()
