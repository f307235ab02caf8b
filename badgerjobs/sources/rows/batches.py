"""Rows in batches, so that neither each costs a step of its own nor many stay in memory."""

from collections.abc import Iterator
from typing import Any

MOST_ROWS = 1000
# About, as they came.
MOST_BYTES = 1_000_000


class Batches:
    """`add` rows as they come, and take what is full; `rest` in the end."""

    def __init__(self) -> None:
        self._rows: list[Any] = []
        self._length = 0

    def add(self, rows: list[Any], length: int) -> Iterator[list[Any]]:
        """The batches that these rows, of so many bytes, fill."""
        if not rows:
            return
        if self._rows and self._length + length > MOST_BYTES:
            yield from self.rest()
        self._rows += rows
        self._length += length
        each = self._length // len(self._rows) + 1
        most = max(1, min(MOST_ROWS, MOST_BYTES // each))
        while len(self._rows) >= most:
            batch, self._rows = self._rows[:most], self._rows[most:]
            self._length -= each * len(batch)
            yield batch
        self._length = max(0, self._length) if self._rows else 0

    def rest(self) -> Iterator[list[Any]]:
        """What was left over, if anything was."""
        if self._rows:
            batch, self._rows, self._length = self._rows, [], 0
            yield batch
