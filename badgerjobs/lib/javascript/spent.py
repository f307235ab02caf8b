"""The time that a body may take: of the processor, so that a busy machine takes none of it away."""

import ctypes
import time

# By the clock on the wall it may take so often as much, and so many seconds. What has not had its time by then was not
# given it by the machine; or it waits, which nothing that it can reach does.
_PATIENCE, _PATIENCE_S = 4, 2.0

_libc = ctypes.CDLL(None)


def on_the_wall(seconds: float) -> float:
    """How long a body may take by the clock that may take so many seconds of the processor."""
    return _PATIENCE * seconds + _PATIENCE_S


def processor_s(pid: int) -> float | None:
    """Seconds that a process has had of the processor. None where that cannot be told, or it is gone."""
    clock = ctypes.c_int()
    try:
        if _libc.clock_getcpuclockid(pid, ctypes.byref(clock)):
            return None
        return time.clock_gettime(clock.value)
    except (AttributeError, OSError):  # no such clock on this system; it has just ended
        return None
