"""How much one run may say: code that loops would fill the disk, and nobody reads so much."""

from collections.abc import Callable

MOST_LINES, MOST_BYTES = 100_000, 64 * 1024 * 1024

# Lines there are of a run, the engine's too, and what they hold as they are stored.
USED = """
SELECT count(*), coalesce(sum(pg_column_size(message) + coalesce(pg_column_size(data), 0)), 0)
FROM runs_logline WHERE run_id = %s
"""


class LogRoom:
    """What is left in one iteration. What is there already is asked for once, before its first line.

    From then on it is counted here, so that a line costs an addition.
    """

    def __init__(self, used: Callable[[], tuple[int, int]]) -> None:
        self._used = used
        self._left: tuple[int, int] | None = None
        self.dropped = 0

    def takes(self, size: int) -> bool:
        """Whether there is room for one more line of so many bytes. From the first that finds none on, none does."""
        if self._left is None:
            lines, used = self._used()
            self._left = MOST_LINES - lines, MOST_BYTES - used
        lines, left = self._left
        if self.dropped or lines < 1 or left < size:
            self.dropped += 1
            return False
        self._left = lines - 1, left - size
        return True

    @property
    def full(self) -> str:
        """The line that stands in the place of the first that is dropped: whoever is ended says no more."""
        return f"{_full()}: what this iteration says from here on is dropped."

    @property
    def full_at_the_end(self) -> str:
        """The same line once the iteration is over."""
        return f"{_full()}: {self.dropped:,} more of this iteration {'was' if self.dropped == 1 else 'were'} dropped."


def _full() -> str:
    return f"The log is full, a run may say {MOST_LINES:,} lines, or {MOST_BYTES // 1024**2} MB"
