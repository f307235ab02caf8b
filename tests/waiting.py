"""Waiting for what happens in another process: no longer than needed, and never by a fixed time."""

import time
from collections.abc import Callable

# Nobody waits so long unless something is broken, or the machine has much else to do.
PATIENCE_S = 120.0


def until(condition: Callable[[], object], *, seconds: float = PATIENCE_S) -> None:
    """Come back when `condition()` is true; fail when it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        time.sleep(0.01)
