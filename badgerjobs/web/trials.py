"""Room for trying something out while somebody waits: a call, an event, a connection."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rest_framework.exceptions import APIException

# Each holds a thread of the web server, which has `WEB_THREADS`.
LONGEST_S = 30
AT_ONCE = 4
AT_ONCE_EACH = 2
PER_MINUTE = 30


class TooManyTrialsError(APIException):
    """No test call now: its message says why, and when there may be one. By REST a 429; `wait` is in seconds."""

    status_code = 429
    wait = 10


@dataclass(slots=True)
class Places:
    """How many test calls are being made, by this process and for each application."""

    taken: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def one(self, application_id: int) -> Iterator[None]:
        """A place for one call. Raises TooManyTrialsError."""
        with self.lock:
            if self.taken[application_id] >= AT_ONCE_EACH or self.taken.total() >= AT_ONCE:
                raise TooManyTrialsError("Other test calls are being made right now: try again in some seconds.")
            self.taken[application_id] += 1
        try:
            yield
        finally:
            with self.lock:
                self.taken[application_id] -= 1
                self.taken += Counter()  # forgets those that have none


# Of test calls and of events that are tried out alike.
PLACES = Places()
