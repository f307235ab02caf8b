"""Collections as sources: the rows that readers of another one see, so that a job can go on from what another left."""

import json
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, closing
from typing import Any

from django.db import Error, connection, transaction
from rest_framework import serializers

from badgerjobs.sources.rows.batches import MOST_BYTES, MOST_ROWS
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.pulls import Chunk, Pull
from badgerjobs.sources.rows.threads import Give, read_in_thread
from badgerjobs.sources.types import Type
from badgerjobs.web.serializers import StrictSerializer
from slurps.models import Collection, Version
from slurps.storing.reading import SEEN, bounds_of

logger = logging.getLogger(__name__)

# So long our own database may take for more rows.
WAIT_S = 60.0
# So long one view of its rows lasts: what anybody deletes meanwhile stays in the database, and slows everybody down.
VIEW_S = 600.0
# It lasts as long as they are taken: nothing of ours may end it in the middle.
_LASTING = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
_ROWS = (
    f"SELECT r.data::text, r.position FROM collections_row r WHERE {SEEN} AND r.position > %(after)s"  # noqa: S608  ours
    " ORDER BY r.position"
)

NONE = "There is no collection “{}” in this application, or it was deleted."
NO_VERSION = "The collection “{}” has no version {}, or does not keep it any more."
AWAY = "The database was away."
REPLACED = (
    "The collection “{}” was filled anew, and did not keep the version that was being read. Have it keep more of them:"
    " rows are taken out of one view for ten minutes only."
)


class CollectionConfiguration(StrictSerializer):
    """Which rows."""

    collection = serializers.CharField(max_length=200, help_text="The name of a collection of the same application.")
    version = serializers.IntegerField(
        default=None,
        allow_null=True,
        min_value=1,
        max_value=2**31 - 1,
        help_text="The number of a version that is kept. Unless given: the one that readers see.",
    )


class CollectionPull(Pull):
    """All rows of a version, as they are when the pull begins."""

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """See `Pull`."""
        try:
            async with aclosing(read_in_thread(self._read, WAIT_S)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except (Error, TimeoutError):
            logger.warning("the rows of a collection could not be read", exc_info=True)
            raise PullError("database", AWAY) from None

    def _read(self, give: Give) -> None:
        """In a thread: by a connection of its own, in one view of the version and of its rows, or a few."""
        version: Version | None = None
        after: int | None = -1
        try:
            while after is not None:
                with transaction.atomic():
                    with connection.cursor() as cursor:
                        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                        cursor.execute(_LASTING)
                    version = self._still(version) if version else self._version()
                    if version is None:
                        return
                    self.found["version"] = version.number
                    after = _give_rows(version, give, after)
        finally:
            connection.close()

    def _still(self, version: Version) -> Version:
        """The same, of which nothing is deleted while it is kept. Raises PullError."""
        kept = Version.objects.for_application(self.source.application).ready()
        if not kept.filter(pk=version.pk).exists():
            raise PullError("collection", REPLACED.format(self.configuration["collection"]))
        return version

    def _version(self) -> Version | None:
        """None before the first one. Raises PullError."""
        name, number = self.configuration["collection"], self.configuration["version"]
        collections = Collection.objects.for_application(self.source.application).whole()
        collection = collections.filter(name=name).first()
        if collection is None:
            raise PullError("collection", NONE.format(name), retry=False)
        if number is None:
            return collection.pinned or collection.current
        version = collection.versions.ready().filter(number=number).first()
        if version is None:
            raise PullError("collection", NO_VERSION.format(name, number), retry=False)
        return version


def _give_rows(version: Version, give: Give, after: int) -> int | None:
    """One by one off the connection, however long they are. The place of the last one, if the view has lasted."""
    found: list[Any] = []
    length, until = 0, time.monotonic() + VIEW_S
    values = {**bounds_of(version), "after": after}
    with connection.cursor() as cursor, closing(cursor.cursor.stream(_ROWS, values)) as rows:
        for data, position in rows:
            found.append(json.loads(data))
            length += len(data)
            if len(found) == MOST_ROWS or length >= MOST_BYTES:
                give((found, length))
                found, length = [], 0
                if time.monotonic() >= until:
                    return int(position)
    if found:
        give((found, length))
    return None


def variables(_: Mapping[str, Any]) -> list[str]:
    """It has no placeholders."""
    return []


COLLECTION = Type(CollectionConfiguration, variables, None, None, pull=CollectionPull)
