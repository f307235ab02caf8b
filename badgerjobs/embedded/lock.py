"""One process at a time runs the servers of a data directory, and says who it is."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from badgerjobs.embedded.layout import Layout

# One that is ending frees the directory within ten seconds; a start right after a stop waits for it.
PATIENCE = 15.0


class Held(Exception):  # noqa: N818  reads as what it says
    """Another process runs on this data directory. The message says which, and what to do."""


class Lock:
    """A lock that is held; it ends with the process, however that ends."""

    def __init__(self, file: IO[str], address: str) -> None:
        self._file = file
        self._address = address
        self._write("running")

    def announce_end(self) -> None:
        """Let who waits for the directory know that it will be free soon."""
        self._write("stopping")

    def _write(self, state: str) -> None:
        self._file.seek(0)
        self._file.truncate()
        json.dump({"pid": os.getpid(), "address": self._address, "state": state}, self._file)
        self._file.flush()


@contextmanager
def hold(layout: Layout, address: str, *, patience: float = PATIENCE) -> Iterator[Lock]:
    """Hold the data directory for as long as the block lasts; `address` is shown to who comes second.

    Waits up to `patience` seconds for one that is ending. Raises Held, DataDirectoryError.
    """
    layout.make_data_dir()
    # Not inherited by what we start: servers that outlive us must not look like us.
    descriptor = os.open(layout.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        deadline = time.monotonic() + patience
        while not _is_taken(file):
            holder = _holder(file)
            if holder.get("state") != "stopping" or time.monotonic() > deadline:
                raise Held(
                    f"The data directory {layout.data_dir} is in use by process {holder.get('pid', 'unknown')}, "
                    f"which serves {holder.get('address', 'an unknown address')}. Stop that one, or set "
                    "BADGERJOBS_DATA_DIR and PORT to run a second."
                )
            time.sleep(0.1)
        yield Lock(file, address)


def _is_taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: IO[str]) -> dict[str, object]:
    file.seek(0)
    try:
        found = json.loads(file.read())
    except ValueError:  # it is writing just now
        return {}
    return found if isinstance(found, dict) else {}
