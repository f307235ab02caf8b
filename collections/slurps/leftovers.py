"""What runs leave half done, and what the deleted leave behind: taken back by a tick, in batches that nobody waits for.

Whatever ends a run, or deletes an application, a job or a collection, need not know of it: what is left is found.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import Error, connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from badgerjobs.runs import fleet
from badgerjobs.runs.models import Run, State
from badgerjobs.sources.files.keeping import forget_left
from slurps.models import Collection, Stage, Version
from slurps.storing.indexing import go_on_filling
from slurps.storing.pruning import BATCH, prune
from slurps.storing.staging import discard, left_tables

logger = logging.getLogger(__name__)

# How long one tick may take, in seconds.
TIDYING_S = 5.0

# The collections that have rows, each found by one look into the index, however many rows it has; of them those that
# are no more.
_GONE = """
WITH RECURSIVE found(id) AS (
    SELECT min(collection_id) FROM collections_row
    UNION ALL
    SELECT (SELECT min(collection_id) FROM collections_row WHERE collection_id > found.id) FROM found
    WHERE found.id IS NOT NULL
)
SELECT id FROM found
WHERE id IS NOT NULL AND NOT EXISTS (SELECT FROM collections_collection c WHERE c.id = found.id)
"""
_ROWS_OF = """
DELETE FROM collections_row WHERE (collection_id, position, first) IN (
    SELECT collection_id, position, first FROM collections_row WHERE collection_id = %s LIMIT %s)
"""


def tidy(*, seconds: float = TIDYING_S) -> None:
    """Take back what nobody fills any more, and delete what no reader sees, as far as that goes in so many seconds.

    What fails is tried again the next time, and keeps nothing else from being tidied: it may be somebody else's.
    """
    now = fleet.database_now()
    until = now + timedelta(seconds=seconds)
    for part in (
        lambda: forget_left(now),
        lambda: go_on_filling(seconds=seconds / 2),
        take_back,
        drop_left_tables,
        lambda: prune_retired(until=until),
        lambda: prune_gone(until=until),
    ):
        with _by_itself():
            part()


@contextmanager
def _by_itself() -> Iterator[None]:
    try:
        yield
    except Error as error:
        logger.warning("something was not tidied, and is tried again: %s", error)


def take_back() -> int:
    """Take back what was loaded by attempts that are over, or whose run has another worker. Returns how many.

    Their rows are deleted with those that are not kept any more.
    """
    count = 0
    for version in Version.objects.filter(~Exists(_filling()), stage=Stage.STAGING):
        with _by_itself(), transaction.atomic():
            # It is locked as it is now: who loads it may have shown it meanwhile.
            left = Version.objects.select_for_update().filter(~Exists(_filling()), pk=version.pk)
            if found := left.filter(stage=Stage.STAGING).first():
                discard(found)
                count += 1
    return count


def drop_left_tables() -> int:
    """Drop the tables in which rows were staged for versions that are gone. Returns how many."""
    tables = left_tables()
    for table in tables:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
    return len(tables)


def prune_retired(*, until: datetime) -> int:
    """Delete what only versions have that are not kept any more. Returns how many rows."""
    deleted = 0
    retired = Version.objects.filter(stage=Stage.RETIRED, collection=OuterRef("pk"))
    for collection in Collection.objects.filter(Exists(retired)).order_by("pk"):
        left = until - fleet.database_now()
        if left <= timedelta():
            break
        deleted += prune(collection, seconds=left.total_seconds())
    return deleted


def prune_gone(*, until: datetime) -> int:
    """Delete the rows of collections that are gone, as far as that goes by then. Returns how many."""
    deleted = 0
    with connection.cursor() as cursor:
        cursor.execute(_GONE)
        gone = [collection_id for (collection_id,) in cursor.fetchall()]
        for collection_id in gone:
            count = BATCH
            while count == BATCH and fleet.database_now() < until:
                cursor.execute(_ROWS_OF, [collection_id, BATCH])
                count = cursor.rowcount
                deleted += count
    return deleted


def _filling() -> QuerySet[Run]:
    """The run that fills a version just now."""
    return Run.objects.filter(pk=OuterRef("run_id"), state=State.RUNNING, worker=OuterRef("worker"))
