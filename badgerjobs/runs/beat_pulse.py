"""Says that a beat is alive, from a thread of its own: no tick waits for it."""

import logging
import threading
from uuid import UUID

from django.db import Error, connection

from badgerjobs.runs import fleet

logger = logging.getLogger(__name__)


class BeatPulse:
    """One statement a second at the most, and only while the beat takes its turns: one that hangs is not seen."""

    def __init__(self, me: UUID) -> None:
        self._me = me
        self._turned = threading.Event()
        self._ended = threading.Event()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None

    def turn(self) -> None:
        """The beat has taken a turn."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
            self._thread.start()
        self._turned.set()

    def end(self) -> None:
        """Say no more. Waits a moment for what is being said."""
        self._ended.set()
        self._turned.set()
        if self._writing.acquire(timeout=1):
            self._writing.release()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._turned.wait()
            self._turned.clear()
            with self._writing:
                if not self._ended.is_set():
                    self._say()
            self._ended.wait(fleet.PULSE_S)
        connection.close()

    def _say(self) -> None:
        try:
            fleet.pulse_beat(self._me)
        except Error as error:
            logger.warning("this beat cannot say that it is alive: %s", error)
            connection.close()
