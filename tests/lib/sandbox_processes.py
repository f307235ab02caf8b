"""What tests see of the sandboxes' processes, from outside."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def parents() -> dict[int, int]:
    """Each process that there is → its parent. What has ended and was not waited for is not there."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone meanwhile
            state, parent = (process / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(process.name)] = int(parent)
    return found


def descendants(root: int) -> set[int]:
    everybody = parents()
    found: set[int] = set()
    while more := {pid for pid, parent in everybody.items() if parent in found | {root}} - found:
        found |= more
    return found


def until(is_so: Callable[[], bool], *, within: float = 10.0) -> bool:
    """Look until it is so. What is looked at is the kernel's, and tells nobody."""
    end = time.monotonic() + within
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True
