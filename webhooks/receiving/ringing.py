"""Rings for what was stored, beside the calls: none of them waits for the broker, and thousands cost a few rings."""

import logging
import os
import threading
import time

from badgerjobs.runs.models import Queue
from badgerjobs.runs.worker import ring

logger = logging.getLogger(__name__)

# In seconds. Who comes while this runs is rung for at its end.
RING_EVERY_S = 0.02


class Bell:
    """Rings in a thread of its own, which begins with the first call in a process."""

    def __init__(self) -> None:
        self._wanted = threading.Event()
        self._starting = threading.Lock()
        self._pid = 0

    def touch(self) -> None:
        """Have it rung at once, or soon after it was. What a process that ends now does not ring, workers find."""
        self._wanted.set()
        if self._pid != os.getpid():
            self._start()

    def _start(self) -> None:
        with self._starting:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                threading.Thread(target=self._ring, name="hooks-bell", daemon=True).start()

    def _ring(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            try:
                ring(Queue.IO)
            except Exception:
                logger.exception("workers are not rung: they find the work by themselves")
            time.sleep(RING_EVERY_S)


BELL = Bell()
