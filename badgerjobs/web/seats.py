"""Room for requests that hold a thread of the web server for long: a process has `WEB_THREADS`."""

import threading
from collections import Counter


class Seats:
    """So many threads of a process may be held at once, half of them for one application: the others go on answering.

    There is always one.
    """

    def __init__(self, count: int) -> None:
        self._count = max(1, count)
        self._share = max(1, self._count // 2)
        self._taken: Counter[int] = Counter()  # application → its seats
        self._lock = threading.Lock()

    def take(self, application_id: int) -> bool:
        """Whether there was one. Who has it gives it back."""
        with self._lock:
            if self._taken.total() >= self._count or self._taken[application_id] >= self._share:
                return False
            self._taken[application_id] += 1
            return True

    def give_back(self, application_id: int) -> None:
        """Let another have it."""
        with self._lock:
            self._taken -= Counter([application_id])
