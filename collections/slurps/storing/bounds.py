"""How many rows a collection may have: `COLLECTION_ROWS`, for those of one version."""

from django.conf import settings

from slurps.models import Collection
from slurps.modes import MODES
from slurps.storing.faults import UnstorableError

TOO_MANY = (
    "A collection may have {:,} rows here (COLLECTION_ROWS), and “{}” would have more. Nothing was stored: let the run "
    "give fewer, or fill another collection."
)


def most_written(collection: Collection) -> int | None:
    """How many rows one load may bring; None for as many as come."""
    if not settings.COLLECTION_ROWS:
        return None
    there = collection.current.rows if MODES[collection.mode].write == "append" and collection.current else 0
    return max(0, int(settings.COLLECTION_ROWS) - there)


def too_many(collection: Collection) -> UnstorableError:
    """What is raised then."""
    return UnstorableError(TOO_MANY.format(settings.COLLECTION_ROWS, collection.name))


def ensure_room(collection: Collection, rows: int) -> None:
    """Raises UnstorableError when a version of it has more rows than it may."""
    if settings.COLLECTION_ROWS and rows > settings.COLLECTION_ROWS:
        raise too_many(collection)
