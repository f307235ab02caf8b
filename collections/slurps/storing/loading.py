"""Loading rows, batch by batch, each in a transaction of its own: no long one holds up the vacuum."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from slurps.models import Collection, Stage, Version
from slurps.modes import MODES
from slurps.storing.bounds import most_written, too_many
from slurps.storing.columns import types_of
from slurps.storing.encoding import Encoder
from slurps.storing.faults import SupersededError
from slurps.storing.staging import table_of

# So many bytes are sent before they are committed.
CHUNK_BYTES = 8 * 1024 * 1024

_SLOTS = "slot1, slot2, slot3, slot4"
_INTO_ROWS = f"COPY collections_row (collection_id, first, position, key, data, {_SLOTS}) FROM STDIN"
_INTO_TABLE = "COPY {} (n, key, data, slot1, slot2, slot3, slot4) FROM STDIN"


def _known(collection: Collection) -> dict[str, set[str]] | None:
    """The columns beside which nothing is stored; None where all is."""
    if collection.guards.get("columns") != "discard" or not collection.current or not collection.current.known:
        return None
    return types_of(collection.current.known)


class Loader:
    """Fills one version. Belongs to one thread."""

    def __init__(self, version: Version) -> None:
        collection = version.collection
        self.encoder = Encoder(key=collection.key, indexed=collection.indexed, known=_known(collection))
        self._version = version
        self._most = most_written(collection)
        self._buffer: list[bytes] = []
        self._length = 0
        if MODES[collection.mode].write == "upsert":
            self._statement, self._start = _INTO_TABLE.format(table_of(version)), []
        else:
            self._statement, self._start = _INTO_ROWS, [collection.pk, version.generation]
            self.encoder.rows_before = collection.positions

    def add(self, rows: Sequence[Any]) -> None:
        """Take these rows. Raises UnstorableError; SupersededError when the version was taken back."""
        lines = self.encoder.lines(rows, self._start)
        if self._most is not None and self.encoder.rows > self._most:
            raise too_many(self._version.collection)
        self._buffer.append(lines)
        self._length += len(lines)
        if self._length >= CHUNK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send what was taken so far. Raises SupersededError."""
        if not self._buffer:
            return
        with transaction.atomic():
            staging = Version.objects.select_for_update(no_key=True).filter(pk=self._version.pk, stage=Stage.STAGING)
            if not staging.exists():
                raise SupersededError
            with connection.cursor() as cursor, cursor.copy(self._statement) as copy:
                for lines in self._buffer:
                    copy.write(lines)
        self._buffer.clear()
        self._length = 0
